import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A way to the service on which an answer can get lost: the request arrives, the connection breaks. */
export class CuttingProxy {
  private readonly sockets = new Set<Socket>();
  private cuts = 0;

  private constructor(
    /** The address of the service by way of the proxy. */
    readonly url: string,
    private readonly server: Server,
  ) {}

  static async open(serviceUrl: string): Promise<CuttingProxy> {
    const target = new URL(serviceUrl);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const proxy = new CuttingProxy(`http://127.0.0.1:${port}`, server);
    server.on('connection', (client) => proxy.join(client, target));
    return proxy;
  }

  /** The next answers are lost: when the service begins to send one, both sides are cut off. */
  loseAnswers(count: number): void {
    this.cuts = count;
  }

  close(): void {
    this.server.close();
    this.sockets.forEach((socket) => socket.destroy());
  }

  private join(client: Socket, target: URL): void {
    const service = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [client, service],
      [service, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(service);
    service.on('data', (answer) => {
      if (this.cuts > 0) {
        this.cuts -= 1;
        client.resetAndDestroy();
      } else {
        client.write(answer);
      }
    });
  }
}
