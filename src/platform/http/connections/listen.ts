import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** The address cannot be listened on: the message is for the operator. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

const reasons = (variable: string): Readonly<Record<string, string>> => ({
  EADDRINUSE: `another process listens there. Stop it, or set ${variable} to a free one (0 takes any)`,
  EACCES: `this user may not. Set ${variable} to 1024 or more`,
  EADDRNOTAVAIL: 'this machine has no such address. Set HOST to one of its own, or to 0.0.0.0',
  ENOTFOUND: 'there is no such host. Set HOST to an address of this machine, or to 0.0.0.0',
  EAI_AGAIN: 'the host cannot be resolved. Set HOST to an address of this machine, or to 0.0.0.0',
});

/** @throws ListenError when the address cannot be had */
export async function listen(
  app: NestFastifyApplication,
  port: number,
  host: string,
): Promise<void> {
  await listening(app.listen(port, host), 'PORT', port, host);
}

/**
 * What listens, once it does.
 * @param variable which sets the port
 * @throws ListenError when the address cannot be had
 */
export async function listening<Server>(
  server: Promise<Server>,
  variable: string,
  port: number,
  host: string,
): Promise<Server> {
  try {
    return await server;
  } catch (error) {
    const reason = reasons(variable)[(error as NodeJS.ErrnoException).code ?? ''];
    throw reason === undefined
      ? error
      : new ListenError(`Headframe cannot listen on ${host}, port ${port}: ${reason}.`, {
          cause: error,
        });
  }
}
