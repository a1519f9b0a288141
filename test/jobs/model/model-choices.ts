import fc from 'fast-check';
import type { Setting } from './model-actors.js';

/** Which of the leases ever given is used, the latest being 0; or one that was never given. */
export interface LeaseChoice {
  readonly nth: number;
  /** `outlived`: of those whose jobs were claimed again; `crossed`: with the id of another job. */
  readonly as: 'given' | 'outlived' | 'none' | 'forged' | 'crossed';
}

/** What may be done next; numbers say which of those there are, and wrap around. */
export type Choice =
  | {
      readonly do: 'submit';
      /** Of one job in each of so many organizations, from this one on. */
      readonly count: number;
      readonly organization: number;
      readonly task: number;
      readonly priority: number;
      readonly maxAttempts: number;
      readonly runAfter: 'past' | 'later' | null;
      readonly expires: boolean;
    }
  | {
      readonly do: 'claim';
      readonly actor: number;
      readonly limit: number;
      readonly serves: 'both' | 'first' | 'second';
    }
  | { readonly do: 'progress'; readonly leases: readonly LeaseChoice[]; readonly percent: number }
  | { readonly do: 'succeed' | 'release'; readonly leases: readonly LeaseChoice[] }
  | { readonly do: 'fail'; readonly lease: LeaseChoice; readonly retryable: boolean }
  | { readonly do: 'postpone'; readonly lease: LeaseChoice; readonly seconds: number }
  | { readonly do: 'endCanceled'; readonly lease: LeaseChoice }
  | { readonly do: 'requestCancel'; readonly job: number; readonly foreign: boolean }
  | { readonly do: 'beat' | 'drain'; readonly actor: number }
  | { readonly do: 'tend' };

/** What the world does meanwhile: never at the same time as anything else. */
export type Event =
  | { readonly do: 'fall silent' | 'sign on'; readonly actor: number }
  | { readonly do: 'time comes' | 'time runs out'; readonly job: number };

const few = fc.nat({ max: 5 });
const actor = fc.nat({ max: 2 });
const lease: fc.Arbitrary<LeaseChoice> = fc.record({
  nth: fc.oneof({ weight: 2, arbitrary: fc.nat({ max: 1 }) }, { weight: 1, arbitrary: few }),
  as: fc.oneof(
    { weight: 10, arbitrary: fc.constant('given' as const) },
    { weight: 4, arbitrary: fc.constant('outlived' as const) },
    {
      weight: 3,
      arbitrary: fc.constantFrom('none' as const, 'forged' as const, 'crossed' as const),
    },
  ),
});
const leases = fc.uniqueArray(lease, { minLength: 1, maxLength: 3, selector: ({ nth }) => nth });

const submit = fc.record({
  do: fc.constant('submit' as const),
  count: fc.constantFrom(1, 1, 2, 3),
  organization: fc.nat({ max: 2 }),
  task: fc.nat({ max: 1 }),
  priority: fc.constantFrom(0, 0, 10, -10),
  maxAttempts: fc.constantFrom(1, 2, 3),
  runAfter: fc.constantFrom(null, null, null, 'past' as const, 'later' as const),
  expires: fc.constantFrom(false, false, true),
});
const claim = fc.record({
  do: fc.constant('claim' as const),
  actor,
  limit: fc.integer({ min: 1, max: 5 }),
  serves: fc.constantFrom('both' as const, 'first' as const, 'second' as const),
});
const writes: fc.Arbitrary<Choice> = fc.oneof(
  fc.record({
    do: fc.constant('progress' as const),
    leases,
    percent: fc.constantFrom(0, 10, 50, 90, 100),
  }),
  fc.record({ do: fc.constantFrom('succeed' as const, 'release' as const), leases }),
  fc.record({ do: fc.constant('fail' as const), lease, retryable: fc.boolean() }),
  fc.record({ do: fc.constant('postpone' as const), lease, seconds: fc.constantFrom(0, 3_600) }),
  fc.record({ do: fc.constant('endCanceled' as const), lease }),
);
const requestCancel = fc.record({
  do: fc.constant('requestCancel' as const),
  job: few,
  foreign: fc.constantFrom(false, false, false, false, true),
});
const tend = fc.constant({ do: 'tend' as const });

/** One thing that a client, a worker or a tending replica does. */
export const CHOICE: fc.Arbitrary<Choice> = fc.oneof(
  { weight: 4, arbitrary: submit },
  { weight: 5, arbitrary: claim },
  { weight: 8, arbitrary: writes },
  { weight: 3, arbitrary: requestCancel },
  { weight: 3, arbitrary: tend },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('beat' as const, 'beat', 'drain' as const), actor }),
  },
);

/** What is worth doing at the same time. */
export const TOGETHER: fc.Arbitrary<readonly Choice[]> = fc.oneof(
  { weight: 3, arbitrary: fc.array(claim, { minLength: 2, maxLength: 3 }) },
  // Two that cannot want the same job, of one organization perhaps.
  {
    weight: 2,
    arbitrary: fc.tuple(
      claim.map((one) => ({ ...one, serves: 'first' as const })),
      claim.map((one) => ({ ...one, serves: 'second' as const })),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(claim, writes) },
  { weight: 1, arbitrary: fc.tuple(writes, requestCancel) },
  { weight: 1, arbitrary: fc.tuple(writes, tend) },
  { weight: 1, arbitrary: fc.tuple(claim, tend, writes) },
  { weight: 1, arbitrary: fc.array(CHOICE, { minLength: 2, maxLength: 3 }) },
);

export const EVENT: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fall silent' as const), actor }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sign on' as const), actor }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('time comes' as const), job: few }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('time runs out' as const), job: few }) },
);

const cap = fc.constantFrom(null, 1, 1, 2);

export const SETTING: fc.Arbitrary<Setting> = fc.record({
  organizationCaps: fc.tuple(cap, cap, cap),
  weights: fc.tuple(fc.constantFrom(1, 3), fc.constant(1), fc.constant(1)),
  taskCap: cap,
});
