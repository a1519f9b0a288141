import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** A client that is still sending is listened to for so long, and no longer than a request may take. */
const MAX_MS = 30_000;
/** One that sends nothing more, and does not close either, is cut off sooner. */
const SILENT_MS = 2_000;
/** What is thrown away of one client: four times the default limit of a body. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Connections that the service has ended, and whose clients have not. */
export class LingeringConnections {
  private readonly sockets = new Set<Socket>();

  /**
   * Ends each connection of the server so that its client reads the last answer, also one who is in the
   * middle of sending a body (RFC 9112, section 9.6). To close a socket that still has something unread
   * would reset the connection, and a reset destroys what the client has not read yet: so our half is
   * closed, and what still comes is thrown away, for a while.
   */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      // What Node calls behind the last answer of a connection.
      socket.destroySoon = () => this.linger(socket);
    });
  }

  /** Closes them all: the process is about to end. */
  closeAll(): void {
    this.sockets.forEach((socket) => socket.destroy());
  }

  private linger(socket: Socket): void {
    if (socket.destroyed || this.sockets.has(socket)) {
      return;
    }
    this.sockets.add(socket);
    let bytes = 0;
    const close = (): void => {
      socket.destroy();
    };
    const longest = setTimeout(close, MAX_MS);
    let silent = setTimeout(close, SILENT_MS);
    // Nothing of it reaches the parser: no request behind the last answer is served.
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      clearTimeout(silent);
      silent = setTimeout(close, SILENT_MS);
      if (bytes > MAX_BYTES) {
        close();
      }
    });
    socket.once('end', close);
    socket.once('close', () => {
      clearTimeout(longest);
      clearTimeout(silent);
      this.sockets.delete(socket);
    });
    socket.end();
    readOn(socket);
    if (socket.readableEnded) {
      close();
    }
  }
}

/**
 * Resumes reading, whatever paused it: while a body waits for its reader Node's HTTP server stops the handle
 * itself, and the stream goes on believing that it reads.
 */
function readOn(socket: Socket): void {
  const { _handle: handle } = socket as unknown as {
    _handle: { reading: boolean; readStop(): number; readStart(): number } | null;
  };
  if (handle !== null) {
    // Starting what has started is an error.
    handle.readStop();
    handle.readStart();
    handle.reading = true;
  }
  socket.resume();
}
