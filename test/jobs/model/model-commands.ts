import fc from 'fast-check';
import type { LeaseStore } from '../../../src/jobs/lease/lease.store.js';
import { actionOf } from './model-actions.js';
import type { Actor, Stage } from './model-actors.js';
import { CHOICE, type Choice, EVENT, type Event, TOGETHER } from './model-choices.js';
import { compare, see, type Seen } from './model-rows.js';
import type { Action, Explanation } from './model-step.js';
import { copyOf, expectThat, Impossible, type ModelJob, type World } from './model-world.js';

/** The model as fast-check hands it on: the world is replaced by the one that explains the rows. */
export interface Model {
  world: World;
  /** Only asked what there is, before a command runs. */
  readonly stage: Stage;
}

/** The longest sequence. */
const MAX_COMMANDS = 30;

/** One thing that is done, or several at the same time on connections of their own. */
class Doing implements fc.AsyncCommand<Model, Stage> {
  constructor(private readonly choices: readonly Choice[]) {}

  check({ stage }: Readonly<Model>): boolean {
    return this.choices.some((choice) => isPossible(stage, choice));
  }

  async run(model: Model, stage: Stage): Promise<void> {
    const actions = this.choices
      .map((choice, place) => actionOf(stage, choice, stage.leases[place] as LeaseStore))
      .filter((action): action is Action => action !== null);
    if (this.choices.some((choice) => choice.do === 'tend')) {
      await setBeats(stage, model.world);
    }
    const settled = await Promise.allSettled(actions.map((action) => action.perform()));
    const explanations = settled.map((result, index) => {
      if (result.status === 'rejected') {
        stage.story.push(`${actions[index]?.title} → ${result.reason}`);
        throw new Impossible(`${actions[index]?.title} failed: ${result.reason}`);
      }
      return result.value;
    });
    stage.story.push(
      explanations
        .map(({ answer }, index) => `${actions[index]?.title} → ${answer}`)
        .join('\n     || '),
    );
    const seen = await see(stage.engine.owner);
    stage.invariants.check(seen);
    model.world = worldAfter(model.world, explanations, seen);
  }

  toString(): string {
    return this.choices.map(textOf).join(' || ');
  }
}

/** Time passes, or a process starts. */
class Happening implements fc.AsyncCommand<Model, Stage> {
  constructor(private readonly event: Event) {}

  check({ stage, world }: Readonly<Model>): boolean {
    const { event } = this;
    switch (event.do) {
      case 'fall silent':
      case 'sign on':
        return true;
      case 'time comes':
        return waiting(world, stage, event.job)?.runAfter === 'later';
      case 'time runs out':
        return waiting(world, stage, event.job)?.expires === 'later';
      default:
        return event satisfies never;
    }
  }

  async run({ world }: Model, stage: Stage): Promise<void> {
    const { event } = this;
    switch (event.do) {
      case 'fall silent': {
        const { workerId } = stage.actors[event.actor] as Actor;
        const worker = world.workers.get(workerId);
        if (worker !== undefined) {
          worker.silent = true;
        }
        stage.story.push(`${worker?.name} falls silent`);
        return;
      }
      case 'sign on': {
        const actor = stage.actors[event.actor] as Actor;
        const before = stage.name(actor.workerId);
        await stage.register(actor, world);
        stage.story.push(`${before} signs on anew as ${stage.name(actor.workerId)}`);
        return;
      }
      case 'time comes': {
        const job = waiting(world, stage, event.job) as ModelJob;
        await makeDue(stage, 'run_after', job);
        job.runAfter = 'due';
        stage.story.push(`the run_after of ${job.name} comes`);
        return;
      }
      case 'time runs out': {
        const job = waiting(world, stage, event.job) as ModelJob;
        await makeDue(stage, 'expires_at', job);
        job.expires = 'due';
        stage.story.push(`the time of ${job.name} runs out`);
        return;
      }
      default:
        event satisfies never;
    }
  }

  toString(): string {
    return textOf(this.event);
  }
}

/** Things that are done one after the other, some of them at the same time. */
export const COMMANDS = fc.commands<Model, Stage, false>(
  [
    CHOICE.map((choice) => new Doing([choice])),
    CHOICE.map((choice) => new Doing([choice])),
    TOGETHER.map((choices) => new Doing(choices)),
    EVENT.map((event) => new Happening(event)),
  ],
  { maxCommands: MAX_COMMANDS, size: 'max' },
);

/**
 * The world after what was done at the same time: that of the first order, one after the other, which
 * explains all answers and all rows.
 * @throws Impossible when there is none
 */
function worldAfter(before: World, explanations: readonly Explanation[], seen: Seen): World {
  const alone = explanations.length === 1;
  const faults = new Set<string>();
  for (const order of ordersOf(explanations)) {
    const world = copyOf(before);
    try {
      order.forEach((explanation) => explanation.step(world, { alone, seen }));
      compare(world, seen);
      return world;
    } catch (error) {
      if (!(error instanceof Impossible)) {
        throw error;
      }
      faults.add(error.message);
    }
  }
  throw new Impossible([...faults].join('; or, in another order: '));
}

function ordersOf<T>(items: readonly T[]): T[][] {
  return items.length <= 1
    ? [[...items]]
    : items.flatMap((first, index) =>
        ordersOf(items.toSpliced(index, 1)).map((rest) => [first, ...rest]),
      );
}

function isPossible({ given, keys }: Stage, choice: Choice): boolean {
  switch (choice.do) {
    case 'progress':
    case 'succeed':
    case 'release':
    case 'fail':
    case 'postpone':
    case 'endCanceled':
      return given.length > 0;
    case 'requestCancel':
      return keys.length > 0;
    case 'submit':
    case 'claim':
    case 'beat':
    case 'drain':
    case 'tend':
      return true;
    default:
      return choice satisfies never;
  }
}

function waiting(world: World, { keys }: Stage, nth: number): ModelJob | undefined {
  return world.jobs.get(keys[nth % keys.length]?.key.jobId ?? '');
}

async function makeDue(
  { engine }: Stage,
  column: 'run_after' | 'expires_at',
  { key, name }: ModelJob,
): Promise<void> {
  const { rowCount } = await engine.owner.query(
    `UPDATE job_queue SET ${column} = clock_timestamp() WHERE job_id = $1 AND ${column} IS NOT NULL`,
    [key.jobId],
  );
  expectThat(rowCount === 1, `${name} has no ${column}`);
}

/** Silence as the model has it, far from any lease's end, however slow the machine is. */
async function setBeats({ engine }: Stage, { workers }: World): Promise<void> {
  await engine.owner.query({
    name: 'model-beats',
    text: `UPDATE workers SET suspect_at = NULL, beat_at = clock_timestamp()
      + CASE WHEN id = ANY ($1::uuid[]) THEN interval '-1 hour' ELSE interval '1 hour' END`,
    values: [[...workers.values()].filter(({ silent }) => silent).map(({ id }) => id)],
  });
}

const textOf = ({ do: what, ...rest }: Choice | Event): string =>
  Object.keys(rest).length === 0 ? what : `${what} ${JSON.stringify(rest).replaceAll('"', '')}`;
