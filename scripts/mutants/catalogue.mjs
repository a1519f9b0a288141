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

/** How the store writes its fence on a lease. @param {string} jobId @param {string} leaseId */
const holds = (jobId, leaseId) => `\${HOLDS('${jobId}', '${leaseId}')}`;
const FENCE = holds('$1', '$2');
/** The fence without the lease: whoever knows the job. */
const ANY_LEASE_OF_THE_JOB = `lease.job_id = $1 AND ${ANY_LEASE}`;
const TAKEN = `DELETE FROM job_leases lease WHERE ${FENCE} RETURNING lease.*`;
const TAKEN_BY_SUCCEED = `DELETE FROM job_leases lease USING done WHERE ${holds('done.job_id', 'done.lease_id')}`;
const ORGANIZATION_LOCK = 'IF NOT pg_try_advisory_xact_lock(727072, hashtext(v_org::text)) THEN';
const ORGANIZATION_COUNT = `SELECT least(v_room, v_cap - count(*)) INTO v_room
                    FROM (SELECT 1 FROM job_leases r WHERE r.org_id = v_org LIMIT v_cap) running;`;
const PICKED = `ORDER BY d.urgency, d.job_id LIMIT greatest(0, least(v_room, served.room))
                            FOR UPDATE SKIP LOCKED) head`;
const UNEXPIRED_PICKED = `AND (d.expires_at IS NULL OR d.expires_at > clock_timestamp())
                            ${PICKED}`;
const STARTED = `ORDER BY head.urgency, head.job_id LIMIT v_room))
                    RETURNING q.*, gen_random_uuid() AS lease_id`;
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
    [
      [
        TAKEN_BY_SUCCEED,
        'DELETE FROM job_leases lease USING done WHERE lease.job_id = done.job_id',
      ],
    ],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'no fence: fail',
    { statement: 'fail' },
    [[FENCE, ANY_LEASE_OF_THE_JOB]],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'no fence: postpone',
    { statement: 'postpone' },
    [[FENCE, ANY_LEASE_OF_THE_JOB]],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'no fence: endCanceled',
    { statement: 'end-canceled' },
    [[FENCE, ANY_LEASE_OF_THE_JOB]],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'no fence: release',
    { statement: 'release' },
    [[holds('back.job_id', 'back.lease_id'), 'lease.job_id = back.job_id']],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'no fence: progress',
    { statement: 'progress' },
    [[holds('report.job_id', 'report.lease_id'), 'lease.job_id = report.job_id']],
    ['matrix', 'late', 'model'],
  ),
  mutant(
    'no fence: logs',
    { statement: 'append-logs' },
    [
      [
        'JOIN job_leases lease ON lease.job_id = addition.job_id AND lease.lease_id = addition.lease_id,',
        'JOIN job_leases lease ON lease.job_id = addition.job_id,',
      ],
      [
        'SELECT lease.job_id, lease.org_id, lease.attempt, lease.lease_id, addition.keep_from',
        'SELECT lease.job_id, lease.org_id, lease.attempt, addition.lease_id, addition.keep_from',
      ],
    ],
    ['logs'],
  ),
  mutant(
    'the lease is looked at, not taken: the job waits and runs at once',
    { statement: 'postpone' },
    [[TAKEN, `SELECT lease.* FROM job_leases lease WHERE ${FENCE}`]],
    ['matrix', 'model'],
  ),
  mutant(
    'counter as fence',
    CLAIM,
    [
      [
        STARTED,
        STARTED.replace('gen_random_uuid()', 'md5(q.job_id::text || (q.attempt + 1)::text)::uuid'),
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
        'SELECT own.weight, own.max_running INTO v_weight, v_cap FROM effective_limits(v_org) own;',
        `SELECT own.weight, own.max_running, (SELECT count(*) FROM job_leases r WHERE r.org_id = v_org)
            INTO v_weight, v_cap, v_running FROM effective_limits(v_org) own;`,
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
                      (SELECT count(*) AS n FROM job_leases r WHERE r.org_id = v_org OFFSET 0) running;`,
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
    // Two cannot take one entry, since they delete it: one would wait for the other, and get nothing.
    [[PICKED, PICKED.replace('FOR UPDATE SKIP LOCKED', '')]],
    ['claim'],
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
    [
      ['o.failures, o.crashes + 1\n        FROM', 'o.failures, o.crashes\n        FROM'],
      ['o.failures, o.crashes + 1, o.progress', 'o.failures, o.crashes, o.progress'],
    ],
    ['matrix', 'model'],
  ),
  mutant(
    'jobs are reaped in no order',
    { sql: 'reap_jobs' },
    [['ORDER BY l.job_id  -- as the batches', '-- as the batches']],
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
        'FROM held WHERE NOT canceling\n       ), canceled AS (',
        'FROM held\n       ), canceled AS (',
      ],
      ["'$5::json')} WHERE canceling", "'$5::json')} WHERE false"],
      [
        "SELECT CASE WHEN canceling THEN 'canceled' ELSE 'succeeded' END AS status, org_id,",
        "SELECT 'succeeded' AS status, org_id,",
      ],
    ],
    ['matrix', 'model'],
  ),
  mutant(
    'a failure revives a job that is to be canceled',
    { statement: 'fail' },
    [["CASE WHEN canceling THEN 'canceled' WHEN $4 AND", 'CASE WHEN $4 AND']],
    ['matrix', 'model'],
  ),
  mutant(
    'a failure is not counted',
    { statement: 'fail' },
    [
      ["'failures + 1',", "'failures',"],
      ["failures + CASE next WHEN 'failed' THEN 1 ELSE 0 END", 'failures'],
    ],
    ['matrix', 'model'],
  ),
  mutant(
    'a cancel looks once where the job was',
    { sql: 'cancel_job' },
    [['FOR look IN 1..1000 LOOP', 'FOR look IN 1..1 LOOP']],
    ['cancel'],
  ),
  mutant(
    'progress falls',
    { statement: 'progress' },
    [['greatest(lease.progress, report.percent)', 'report.percent']],
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
