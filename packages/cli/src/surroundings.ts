import type { Readable } from 'node:stream';

/** A terminal, or whatever stands in its place: a file, a pipe, a log. */
export interface OutputStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** What the command finds around it: the process in earnest, anything else in a test. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Of this command, which is that of the service it belongs to. */
  readonly version: string;
  /** The user's home. */
  readonly home: string;
  /** @returns what ends the listening for Ctrl-C and SIGTERM */
  onInterrupt(interrupted: () => void): () => void;
}
