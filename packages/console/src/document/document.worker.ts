import { pack, type Packed } from './packed.js';

/** What is not read into the page: it can be saved as a file. */
const MOST_BYTES = 192 * 1024 * 1024;
const TELL_EVERY_MS = 150;

/** What the page asks: one document. */
export interface DocumentRequest {
  readonly url: string;
  readonly token: string;
}

/** What it is told. */
export type DocumentAnswer =
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'arrived' }
  | {
      readonly kind: 'loaded';
      readonly status: number;
      readonly body: Packed;
      readonly bytes: number;
    }
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly body: unknown;
      readonly retryAfter: number | null;
    }
  | { readonly kind: 'too-large'; readonly bytes: number }
  | { readonly kind: 'unreachable' };

/**
 * Fetches and reads a document in a thread of its own: fifty megabytes of JSON would stop the page for
 * seconds.
 */
self.addEventListener('message', (event: MessageEvent<DocumentRequest>) => {
  load(event.data).catch(() => answer({ kind: 'unreachable' }));
});

async function load({ url, token }: DocumentRequest): Promise<void> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) {
    const retryAfter = Number(response.headers.get('retry-after'));
    const body: unknown = await response.json().catch(() => null);
    answer({ kind: 'refused', status: response.status, body, retryAfter: retryAfter || null });
    return;
  }
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = '';
  let bytes = 0;
  let toldAt = performance.now();
  for (;;) {
    const piece = await reader?.read();
    if (piece === undefined || piece.done) break;
    bytes += piece.value.length;
    if (bytes > MOST_BYTES) {
      await reader?.cancel();
      answer({ kind: 'too-large', bytes });
      return;
    }
    text += decoder.decode(piece.value, { stream: true });
    if (performance.now() - toldAt > TELL_EVERY_MS) {
      toldAt = performance.now();
      answer({ kind: 'progress', bytes });
    }
  }
  answer({ kind: 'arrived' });
  const buffers: ArrayBuffer[] = [];
  const body = pack(JSON.parse(text + decoder.decode()), buffers);
  answer({ kind: 'loaded', status: response.status, body, bytes }, buffers);
}

function answer(message: DocumentAnswer, buffers: ArrayBuffer[] = []): void {
  (
    self as unknown as { postMessage(message: unknown, transfer: Transferable[]): void }
  ).postMessage(message, buffers);
}
