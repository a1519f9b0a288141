/** A failure that a person can do something about: shown as it is, without a stack. */
export class SetupFailure extends Error {
  name = 'SetupFailure';
}
