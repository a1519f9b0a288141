/**
 * Node's arguments for threads that may be ended while they load their module.
 *
 * Piscina asks for it by `require` first, which Node has loaded ES modules by since 20.19; a thread that
 * is ended in the middle of that aborts the whole process (`v8::Module::IsGraphAsync must be used on an
 * instantiated module`): once in some 150 times. Without it Piscina falls back to `import`, which ends well.
 */
export const THREAD_ARGUMENTS: readonly string[] = [
  ...process.execArgv.filter((argument) => argument === '--enable-source-maps'),
  ...(process.allowedNodeEnvironmentFlags.has('--experimental-require-module')
    ? ['--no-experimental-require-module']
    : []),
];
