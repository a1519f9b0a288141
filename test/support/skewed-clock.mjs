// Shifts the wall clock of a process by CLOCK_SKEW_MS before anything else is loaded: node --import.
// Monotonic time (performance.now, hrtime, timers) stays, as it does on a machine that is set wrong.

const skewMs = Number(process.env.CLOCK_SKEW_MS);
const rightDate = Date;
const rightNow = Date.now;

function now() {
  return rightNow() + skewMs;
}

globalThis.Date = new Proxy(rightDate, {
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new rightDate(now()).toString(),
});
