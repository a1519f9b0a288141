import type { JobState } from 'headframe-client';

const SHAPES: Readonly<Record<string, string>> = {
  requested: 'M8 4.500V8l2.500 1.700M8 1.800a6.200 6.200 0 1 1 0 12.400A6.200 6.200 0 0 1 8 1.800z',
  'in progress': 'M8 1.800a6.200 6.200 0 1 0 6.200 6.200',
  canceling: 'M5 5h6v6H5zM8 1.300a6.700 6.700 0 1 1 0 13.400A6.700 6.700 0 0 1 8 1.300z',
  succeeded: 'M3 8.500 6.500 12 13 4.500',
  failed: 'M4 4l8 8M12 4l-8 8',
  canceled:
    'M3.700 3.700l8.600 8.600M8 1.800a6.200 6.200 0 1 1 0 12.400A6.200 6.200 0 0 1 8 1.800z',
};

/** What people call the states. */
export const STATUS_WORDS: Readonly<Record<JobState, string>> = {
  requested: 'Waiting',
  'in progress': 'Running',
  canceling: 'Canceling',
  succeeded: 'Succeeded',
  failed: 'Failed',
  canceled: 'Canceled',
};

/** The state of a job, by shape and word: colour only repeats them. */
export function StatusBadge({ status }: { status: JobState }) {
  return (
    <span className="badge" data-status={status}>
      <svg
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        <path d={SHAPES[status] ?? ''} />
      </svg>
      {STATUS_WORDS[status]}
    </span>
  );
}
