import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** Requests whose clients wait for a `100 Continue` before they send the body. */
const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/**
 * Leaves `Expect: 100-continue` (RFC 9110, section 10.1.1) unanswered until somebody wants the body: a
 * request that is refused before gets its refusal at once, and the client need not send the body at all.
 * Node then closes the connection behind the answer, since nobody knows whether the body still comes.
 */
export function holdContinue(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.set(request, response);
    server.emit('request', request, response);
  });
}

/** Tells a client that waits to send its body; others are sending it already. */
export function letBodyCome(request: IncomingMessage): void {
  const response = waiting.get(request);
  if (response !== undefined) {
    waiting.delete(request);
    response.writeContinue();
  }
}
