// What is broken on purpose, and which proofs must notice. A mutant whose words are no longer found in its
// place stops the run, and `npm test`: change it together with the code.

/** @typedef {import('./places.mjs').Place} Place */

/** @type {Place} */
const CLAIM = { sql: 'claim_jobs' };
/** True, and a use of the parameter: PostgreSQL refuses a statement that never mentions one. */
const ANY_LEASE = '($2::uuid IS NULL OR true)';

/**
 * @typedef {object} Mutant
 * @property {string} name
 * @property {Place} place
 * @property {[find: string, replace: string][]} edits each to be found once, however it is spaced
 * @property {(keyof typeof import('./proofs.mjs').PROOFS)[]} proofs all of which must fail
 */

/** @param {string} name @param {Place} place @param {Mutant['edits']} edits @param {Mutant['proofs']} proofs @returns {Mutant} */
const mutant = (name, place, edits, proofs) => ({ name, place, edits, proofs });

/** How the store writes its fence on a lease. @param {string} lease */
const holds = (lease) => `\${HOLDS('${lease}')}`;
const FENCE = holds('$2');
const HELD_BY_FAIL = `FROM jobs WHERE id = $1 AND ${FENCE} FOR UPDATE
       ), recorded AS (\${RECORD_ATTEMPT} 'failed'`;
const HELD_BY_POSTPONE = `FROM jobs WHERE id = $1 AND ${FENCE} FOR UPDATE
       ), recorded AS (\${RECORD_ATTEMPT} 'retry later'`;
const HELD_BY_SUCCEED = `WHERE jobs.id = done.job_id AND ${holds('done.lease_id')}`;
const ORGANIZATION_LOCK = 'IF NOT pg_try_advisory_xact_lock(727072, hashtext(v_org::text)) THEN';
const ORGANIZATION_COUNT = `SELECT least(v_room, v_cap - count(*)) INTO v_room
                    FROM (SELECT 1 FROM jobs j WHERE j.org_id = v_org AND j.lease_id IS NOT NULL LIMIT v_cap) running;`;
const PICKED = `ORDER BY d.priority DESC, d.id LIMIT greatest(0, least(v_room, served.room))
                            FOR UPDATE SKIP LOCKED) head`;
const UNEXPIRED_PICKED = `AND (d.expires_at IS NULL OR d.expires_at > clock_timestamp())
                            ${PICKED}`;
const STARTED = `lease_id = gen_random_uuid(), started_at = clock_timestamp(), expires_at = NULL
                    WHERE j.id = ANY (ARRAY(
                        SELECT head.id FROM unnest(p_topics, p_tasks, v_task_rooms) AS served(topic, task, room)
                        CROSS JOIN LATERAL (
                            SELECT d.id, d.priority FROM jobs d
                            WHERE d.status = 'requested' AND d.run_after IS NULL AND d.crashes < 2`;
const LOST = `SELECT w.id FROM workers w
        WHERE greatest(w.beat_at, v_benefit) < clock_timestamp() - p_lease`;
const TASK_LOCKS = `SELECT array_agg(
        CASE WHEN l.max_running IS NOT NULL
             THEN pg_try_advisory_xact_lock(727073, hashtext(served.topic || '/' || served.task))
        END ORDER BY served.ordinal) INTO v_locked
    FROM unnest(p_topics, p_tasks) WITH ORDINALITY AS served(topic, task, ordinal)
    LEFT JOIN task_limits l ON l.topic = served.topic AND l.task = served.task;`;

/** @type {Mutant[]} */
export const MUTANTS = [
  mutant(
    'no fence: succeed',
    { statement: 'succeed' },
    [[HELD_BY_SUCCEED, 'WHERE jobs.id = done.job_id']],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'the state instead of the fence: succeed',
    { statement: 'succeed' },
    [[HELD_BY_SUCCEED, 'WHERE jobs.id = done.job_id AND jobs.lease_id IS NOT NULL']],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'no fence: fail',
    { statement: 'fail' },
    [[HELD_BY_FAIL, HELD_BY_FAIL.replace(FENCE, ANY_LEASE)]],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'the state instead of the fence: fail',
    { statement: 'fail' },
    [[HELD_BY_FAIL, HELD_BY_FAIL.replace(FENCE, `lease_id IS NOT NULL AND ${ANY_LEASE}`)]],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'no fence: postpone',
    { statement: 'postpone' },
    [[HELD_BY_POSTPONE, HELD_BY_POSTPONE.replace(FENCE, ANY_LEASE)]],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'no fence: endCanceled',
    { statement: 'end-canceled' },
    [
      [
        `WHERE id = $1 AND ${FENCE} AND status = 'canceling'`,
        `WHERE id = $1 AND ${ANY_LEASE} AND status = 'canceling'`,
      ],
    ],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'no fence: release',
    { statement: 'release' },
    [
      [
        `JOIN jobs ON jobs.id = back.job_id AND ${holds('back.lease_id')} FOR UPDATE OF jobs`,
        'JOIN jobs ON jobs.id = back.job_id FOR UPDATE OF jobs',
      ],
    ],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'no fence: progress',
    { statement: 'progress' },
    [
      [
        `WHERE jobs.id = report.job_id AND ${holds('report.lease_id')}`,
        'WHERE jobs.id = report.job_id',
      ],
    ],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'no fence: logs',
    { statement: 'append-logs' },
    [
      [
        'JOIN jobs job ON job.id = addition.job_id AND job.lease_id = addition.lease_id,',
        'JOIN jobs job ON job.id = addition.job_id,',
      ],
      [
        'SELECT job.id, job.org_id, job.attempt, job.lease_id, addition.keep_from',
        'SELECT job.id, job.org_id, job.attempt, addition.lease_id, addition.keep_from',
      ],
    ],
    ['logs'],
  ),
  mutant(
    'no lease passes for the lease of a job that has none',
    { statement: 'succeed' },
    [
      [
        HELD_BY_SUCCEED,
        'WHERE jobs.id = done.job_id AND jobs.lease_id IS NOT DISTINCT FROM done.lease_id',
      ],
    ],
    ['matrix'],
  ),
  mutant(
    'counter as fence',
    CLAIM,
    [
      [
        STARTED,
        STARTED.replace('gen_random_uuid()', 'md5(j.id::text || (j.attempt + 1)::text)::uuid'),
      ],
    ],
    ['crash'],
  ),
  mutant(
    'count before lock: organization',
    CLAIM,
    [
      ['v_cap int;', 'v_cap int;\n    v_running int;'],
      [
        'SELECT turn.org_id, own.weight, own.max_running INTO v_org, v_weight, v_cap',
        `SELECT turn.org_id, own.weight, own.max_running,
            (SELECT count(*) FROM jobs j WHERE j.org_id = turn.org_id AND j.lease_id IS NOT NULL)
            INTO v_org, v_weight, v_cap, v_running`,
      ],
      [ORGANIZATION_COUNT, 'v_room := least(v_room, v_cap - v_running);'],
    ],
    ['race'],
  ),
  mutant(
    'count in the snapshot of the lock: organization',
    CLAIM,
    [
      [ORGANIZATION_LOCK, 'IF false THEN'],
      [
        ORGANIZATION_COUNT,
        `SELECT least(v_room, v_cap - running.n) INTO v_room
                    FROM (SELECT pg_advisory_xact_lock(727072, hashtext(v_org::text)) OFFSET 0) held,
                      (SELECT count(*) AS n FROM jobs j WHERE j.org_id = v_org AND j.lease_id IS NOT NULL OFFSET 0) running;`,
      ],
    ],
    ['race'],
  ),
  mutant('no lock: organization', CLAIM, [[ORGANIZATION_LOCK, 'IF false THEN']], ['race', 'model']),
  mutant(
    'no lock: task',
    { sql: 'task_rooms' },
    [
      [
        "THEN pg_try_advisory_xact_lock(727073, hashtext(served.topic || '/' || served.task))",
        'THEN true',
      ],
    ],
    ['race', 'model'],
  ),
  mutant(
    'count in the snapshot of the lock: task',
    { sql: 'task_rooms' },
    [
      [
        'WHEN served.locked IS NOT TRUE THEN 0',
        "WHEN NOT pg_try_advisory_xact_lock(727073, hashtext(served.topic || '/' || served.task)) THEN 0",
      ],
      [TASK_LOCKS, 'v_locked := array_fill(true, ARRAY[cardinality(p_tasks)]);'],
    ],
    ['race'],
  ),
  mutant(
    'jobs are not locked as they are picked',
    CLAIM,
    [[PICKED, PICKED.replace('FOR UPDATE SKIP LOCKED', '')]],
    ['race', 'claim'],
  ),
  mutant(
    'a worker can be reaped while it claims',
    CLAIM,
    [['AND NOT w.draining FOR KEY SHARE;', 'AND NOT w.draining;']],
    ['race'],
  ),
  mutant(
    'a draining worker claims',
    CLAIM,
    [['AND NOT w.draining FOR KEY SHARE;', 'FOR KEY SHARE;']],
    ['claim', 'model'],
  ),
  mutant('an expired job is started', CLAIM, [[UNEXPIRED_PICKED, PICKED]], ['claim', 'model']),
  mutant(
    'a crash is not counted',
    { sql: 'reap_jobs' },
    [['crashes = j.crashes + 1,', 'crashes = j.crashes,']],
    ['matrix', 'model'],
  ),
  mutant(
    'jobs are reaped in no order',
    { sql: 'reap_jobs' },
    [['ORDER BY j.id  -- as the batches', '-- as the batches']],
    ['late'],
  ),
  mutant(
    'a worker is lost by a heartbeat that was read before its row was locked',
    { sql: 'reap_jobs' },
    [
      [
        LOST,
        LOST.replace('w.beat_at', 'heard.beat_at').replace(
          'FROM workers w',
          'FROM workers w JOIN (SELECT id, beat_at FROM workers OFFSET 0) heard ON heard.id = w.id',
        ),
      ],
    ],
    ['claim'],
  ),
  mutant(
    'results win over a cancel that came first',
    { statement: 'succeed' },
    [
      [
        "status = CASE WHEN status = 'canceling' THEN 'canceled' ELSE 'succeeded' END,",
        "status = 'succeeded',",
      ],
      [
        "error = CASE WHEN status = 'canceling' THEN $5::json END,\n           ended_at = clock_timestamp(), lease_id = NULL\n         FROM done",
        'error = CASE WHEN false THEN $5::json END,\n           ended_at = clock_timestamp(), lease_id = NULL\n         FROM done',
      ],
    ],
    ['matrix', 'model'],
  ),
  mutant(
    'a failure revives a job that is to be canceled',
    { statement: 'fail' },
    [
      [
        "CASE WHEN status = 'canceling' THEN 'canceled'\n                WHEN $4 AND",
        'CASE WHEN $4 AND',
      ],
    ],
    ['matrix', 'model'],
  ),
  mutant(
    'a failure is not counted',
    { statement: 'fail' },
    [
      [
        "failures = failures + CASE WHEN next = 'canceled' THEN 0 ELSE 1 END,",
        'failures = failures,',
      ],
    ],
    ['matrix', 'model'],
  ),
  mutant(
    'progress falls',
    { statement: 'progress' },
    [['greatest(jobs.progress, report.percent)', 'report.percent']],
    ['late', 'model'],
  ),
  mutant(
    'no self-stop: a worker that cannot renew goes on',
    { method: 'LocalWorker.watch' },
    [
      [
        'if (this.expired && !this.stoppedItself) {',
        'if (this.expired && !this.stoppedItself && this.leaseMs < 0) {',
      ],
    ],
    ['self-stop'],
  ),
  mutant(
    'no self-stop: a claim that is answered late starts its jobs',
    { method: 'Dispatcher.claim' },
    [
      [
        "const stopped = this.worker.id === workerId ? null : 'lease lost';",
        'const stopped = null;',
      ],
    ],
    ['self-stop'],
  ),
];
