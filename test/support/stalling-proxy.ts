import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Nothing passes ever again, and no end is told. */
  dead: boolean;
}

/**
 * A way to the database that can be cut off without a word, as a network does: connections stay, and
 * what is sent is kept until it goes on.
 */
export class StallingProxy {
  private stalled = { toServer: false, toClient: false };

  private constructor(
    /** The address of the database by way of the proxy. */
    readonly url: string,
    private readonly closeServer: () => void,
    private readonly pairs: Set<Pair>,
  ) {}

  /** @param address where it listens */
  static async open(databaseUrl: string, address = '127.0.0.1'): Promise<StallingProxy> {
    const target = new URL(databaseUrl);
    const pairs = new Set<Pair>();
    let proxy: StallingProxy | null = null;
    const listener = createServer((client) => {
      const server = connect(Number(target.port), target.hostname);
      const pair: Pair = { client, server, dead: false };
      pairs.add(pair);
      client.pipe(pair.server).pipe(client);
      for (const socket of [client, pair.server]) {
        socket.on('error', () => undefined);
        socket.on('close', () => {
          if (!pair.dead) {
            client.destroy();
            server.destroy();
            pairs.delete(pair);
          }
        });
      }
      proxy?.obey();
    });
    listener.listen(0, address);
    await once(listener, 'listening');
    const url = new URL(databaseUrl);
    url.hostname = address;
    url.port = String((listener.address() as AddressInfo).port);
    proxy = new StallingProxy(url.href, () => listener.close(), pairs);
    return proxy;
  }

  /** From now on nothing passes in these directions, also on connections still to be made. */
  stall(directions: 'both' | 'answers' = 'both'): void {
    this.stalled = { toServer: directions === 'both', toClient: true };
    this.obey();
  }

  /** The connections that there are die, and neither side hears of it; new ones are made as ever. */
  abandon(): void {
    this.pairs.forEach((pair) => (pair.dead = true));
    this.obey();
  }

  /** What was held up goes on its way. */
  resume(): void {
    this.stalled = { toServer: false, toClient: false };
    this.obey();
  }

  close(): void {
    this.closeServer();
    this.pairs.forEach(({ client, server }) => {
      client.destroy();
      server.destroy();
    });
  }

  private obey(): void {
    for (const { client, server, dead } of this.pairs) {
      set(client, server, dead || this.stalled.toServer);
      set(server, client, dead || this.stalled.toClient);
    }
  }
}

function set(from: Socket, to: Socket, stalled: boolean): void {
  from.unpipe(to);
  if (stalled) {
    from.pause();
  } else {
    from.pipe(to);
  }
}
