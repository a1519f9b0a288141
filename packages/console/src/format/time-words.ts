const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** How long something takes, in at most two units: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationWords(seconds: number): string {
  if (!(seconds >= 0)) return '';
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < MINUTE) return `${Math.round(seconds)} s`;
  if (seconds < HOUR) return two(seconds, MINUTE, 'min', 1, 's');
  if (seconds < DAY) return two(seconds, HOUR, 'h', MINUTE, 'min');
  return two(seconds, DAY, 'd', HOUR, 'h');
}

function two(seconds: number, large: number, largeName: string, small: number, smallName: string) {
  const whole = Math.floor(seconds / large);
  const rest = Math.floor((seconds - whole * large) / small);
  return rest === 0 ? `${whole} ${largeName}` : `${whole} ${largeName} ${rest} ${smallName}`;
}

/** How long ago: one unit, never negative, since clocks differ. */
export function ageWords(seconds: number): string {
  if (seconds < 5) return 'now';
  if (seconds < MINUTE) return `${Math.floor(seconds)} s ago`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ago`;
  return `${Math.floor(seconds / DAY)} d ago`;
}

const MOMENT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** A moment in the user's own time zone. */
export const momentWords = (moment: string | number): string => MOMENT.format(new Date(moment));

/** The time of day of a moment, in the user's own time zone. */
export const clockWords = (moment: string | number): string => CLOCK.format(new Date(moment));
