/** The proofs: test files, by the names under which the table shows them. */
export const PROOFS = {
  matrix: 'test/jobs/transitions.test.ts',
  late: 'test/jobs/fences.test.ts',
  logs: 'test/jobs/logs.test.ts',
  model: 'test/jobs/model.test.ts',
  claim: 'test/jobs/claim.test.ts',
  race: 'test/jobs/claim-race.test.ts',
  cancel: 'test/jobs/cancel-race.test.ts',
  crash: 'test/jobs/forgotten-claim.test.ts',
  'self-stop': 'test/compute/self-stop.test.ts',
};
