/** The labels of a job. Whatever a client wrote there is text, in its own direction. */
export function LabelTags({
  labels,
  onChoose,
}: {
  labels: Readonly<Record<string, string>>;
  onChoose?: (label: string) => void;
}) {
  return (
    <>
      {Object.entries(labels).map(([name, value]) => {
        const text = <bdi>{`${name}: ${value}`}</bdi>;
        return onChoose === undefined ? (
          <span key={name} className="tag" title={`${name}: ${value}`}>
            {text}
          </span>
        ) : (
          <button
            key={name}
            type="button"
            className="tag"
            title={`Show only jobs with ${name}: ${value}`}
            onClick={() => onChoose(`${name}:${value}`)}
          >
            {text}
          </button>
        );
      })}
    </>
  );
}
