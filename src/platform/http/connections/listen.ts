import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** The address cannot be listened on: the message is for the operator. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there. Stop it, or set PORT to a free one (0 takes any)',
  EACCES: 'this user may not. Set PORT to 1024 or more',
  EADDRNOTAVAIL: 'this machine has no such address. Set HOST to one of its own, or to 0.0.0.0',
  ENOTFOUND: 'there is no such host. Set HOST to an address of this machine, or to 0.0.0.0',
  EAI_AGAIN: 'the host cannot be resolved. Set HOST to an address of this machine, or to 0.0.0.0',
};

/** @throws ListenError when the address cannot be had */
export async function listen(
  app: NestFastifyApplication,
  port: number,
  host: string,
): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ''];
    throw reason === undefined
      ? error
      : new ListenError(`Headframe cannot listen on ${host}, port ${port}: ${reason}.`, {
          cause: error,
        });
  }
}
