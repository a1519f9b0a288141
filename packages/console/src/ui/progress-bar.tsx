/** How far a job is, as a bar and in figures. @param percent 0–100 */
export function ProgressBar({
  percent,
  label,
  large = false,
}: {
  percent: number;
  label: string;
  large?: boolean;
}) {
  return (
    <span className={large ? 'progress large' : 'progress'}>
      <progress value={percent} max={100} aria-label={label} />
      <span>{`${percent} %`}</span>
    </span>
  );
}
