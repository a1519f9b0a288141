import { randomUUID } from 'node:crypto';
import { NIL } from 'uuid';
import type { RingTurn } from '../../../src/jobs/lease/claim.store.js';
import type { JobKey } from '../../../src/jobs/job/job.js';
import { LeaseStore } from '../../../src/jobs/lease/lease.store.js';
import type { Engine } from '../../support/jobs.js';
import { Invariants } from './model-rows.js';
import type { Limits, World } from './model-world.js';

export const ORGANIZATIONS = [
  '11111111-1111-4111-8111-111111111111',
  '22222222-2222-4222-8222-222222222222',
  '33333333-3333-4333-8333-333333333333',
] as const;
export const TASKS = [
  { topic: 'model', name: 'one' },
  { topic: 'model', name: 'two' },
] as const;

/** How one run is set up. A cap of null: none. */
export interface Setting {
  /** Of the first two organizations; the third has what the nil organization has. */
  readonly organizationCaps: readonly [number | null, number | null, number | null];
  readonly weights: readonly [number, number, number];
  /** Of the first task. */
  readonly taskCap: number | null;
}

/** A process that claims, with its place in the ring. */
export interface Actor {
  workerId: string;
  turn: RingTurn;
}

/** A lease as it was once given: whoever has it goes on using it, whatever became of the job. */
export interface GivenLease {
  readonly name: string;
  readonly jobId: string;
  readonly leaseId: string;
}

/** Workers that are not silent beat in the future; the silent ones beat an hour ago. */
export const LEASE_SECONDS = 2;

const ACTORS = 3;
/** As many as things are done at the same time. */
const STORES = 3;

/** The real thing, and the names by which a failure is told. */
export class Stage {
  readonly actors: readonly Actor[];
  /** Stores that batch by themselves, as those of different processes do. */
  readonly leases: readonly LeaseStore[];
  readonly keys: { readonly name: string; readonly key: JobKey }[] = [];
  readonly given: GivenLease[] = [];
  /** One sentence for each step so far. */
  readonly story: string[] = [];
  private readonly names = new Map<string, string>();
  private serial = 0;

  private constructor(
    readonly engine: Engine,
    readonly invariants: Invariants,
  ) {
    this.leases = Array.from(
      { length: STORES },
      () => new LeaseStore(engine.database, engine.usage),
    );
    this.actors = Array.from({ length: ACTORS }, () => ({
      workerId: '',
      turn: { cursor: NIL, credit: 0 },
    }));
  }

  /** Empties the database, sets the caps, and signs the actors on: in one round trip. */
  static async open(engine: Engine, setting: Setting): Promise<{ stage: Stage; world: World }> {
    const limits = limitsOf(setting);
    const stage = new Stage(engine, new Invariants(limits));
    const world: World = { limits, jobs: new Map(), workers: new Map() };
    stage.actors.forEach((actor) => stage.rename(actor, world));
    const caps = setting.organizationCaps;
    const row = (orgId: string, place: 0 | 1 | 2) =>
      `('${orgId}', ${setting.weights[place]}, ${caps[place] ?? 'NULL'})`;
    await engine.owner.query(`
      DELETE FROM job_submissions; DELETE FROM job_queue; DELETE FROM job_leases; DELETE FROM job_ends;
      DELETE FROM job_attempts; DELETE FROM workers; DELETE FROM organization_limits;
      DELETE FROM task_limits;
      INSERT INTO organization_limits (org_id, weight, max_running) VALUES
        ${row(ORGANIZATIONS[0], 0)}, ${row(ORGANIZATIONS[1], 1)}, ${row(NIL, 2)};
      ${
        setting.taskCap === null
          ? ''
          : `INSERT INTO task_limits VALUES ('${TASKS[0].topic}', '${TASKS[0].name}', ${setting.taskCap})`
      };
      INSERT INTO workers (id, lock_key, name) VALUES
        ${stage.actors.map(({ workerId }, index) => `('${workerId}', ${index}, 'model')`).join()}`);
    return { stage, world };
  }

  /** Signs an actor on as a new worker. */
  async register(actor: Actor, world: World): Promise<void> {
    const lockKey = world.workers.size;
    this.rename(actor, world);
    await this.engine.owner.query({
      name: 'model-register',
      text: `INSERT INTO workers (id, lock_key, name) VALUES ($1, $2, 'model')`,
      values: [actor.workerId, lockKey],
    });
  }

  private rename(actor: Actor, world: World): void {
    const id = randomUUID();
    const name = this.name(id, 'W');
    world.workers.set(id, { name, id, registered: true, silent: false, draining: false });
    actor.workerId = id;
  }

  /** The name of something with an id: the same each time. */
  name(id: string, letter = ''): string {
    const known = this.names.get(id);
    if (known !== undefined || letter === '') {
      return known ?? id;
    }
    const count = [...this.names.values()].filter((other) => other.startsWith(letter)).length;
    const name = `${letter}${count + 1}`;
    this.names.set(id, name);
    return name;
  }

  /** A text that no other step writes. */
  mark(): string {
    this.serial += 1;
    return `mark ${this.serial}`;
  }
}

function limitsOf({ organizationCaps, taskCap }: Setting): Limits {
  return {
    organizations: new Map(
      ORGANIZATIONS.flatMap((orgId, index) => {
        const cap = organizationCaps[index] ?? null;
        return cap === null ? [] : [[orgId, cap] as const];
      }),
    ),
    tasks: new Map(taskCap === null ? [] : [[TASKS[0].name, taskCap]]),
  };
}
