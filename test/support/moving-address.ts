import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * An address that leads to one server and later to another, as a name, a virtual address or a proxy in
 * front of a database does in a failover. Connections stay where they were made.
 */
export class MovingAddress {
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly port: number,
    private readonly server: Server,
    private target: number | null,
  ) {}

  /** @param target port on loopback where it leads at first */
  static async open(target: number): Promise<MovingAddress> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = new MovingAddress((server.address() as AddressInfo).port, server, target);
    server.on('connection', (socket) => address.join(socket));
    return address;
  }

  /** The same address as a server's, by this way. */
  of(url: string): string {
    const moved = new URL(url);
    moved.port = String(this.port);
    return moved.href;
  }

  /** @param target where new connections lead; null: nowhere */
  lead(target: number | null): void {
    this.target = target;
  }

  /** Ends all connections. */
  cut(): void {
    this.sockets.forEach((socket) => socket.destroy());
  }

  close(): void {
    this.server.close();
    this.cut();
  }

  private join(client: Socket): void {
    this.keep(client);
    if (this.target === null) {
      client.destroy();
      return;
    }
    const server = connect(this.target, '127.0.0.1');
    this.keep(server);
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
    client.pipe(server).pipe(client);
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
  }
}
