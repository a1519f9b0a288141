import { ConnectionError, type Problem, RequestError } from 'headframe-client';
import { currentToken } from '../api/organization-api.js';
import { endSession } from '../session/session.js';
import type { DocumentAnswer, DocumentRequest } from './document.worker.js';
import type { Packed } from './packed.js';

/** A document, and how many bytes it had. */
export interface LoadedDocument {
  /** The HTTP status of the answer: 202 while the job is ongoing. */
  readonly status: number;
  readonly body: Packed;
  readonly bytes: number;
}

/** A document is larger than the page reads: it can be saved as a file. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';

  constructor(readonly bytes: number) {
    super('This is too large to be shown. Download it instead.');
  }
}

/**
 * Loads a JSON document in a thread that ends with it.
 * @param onProgress told how many bytes have come
 * @throws RequestError, ConnectionError, TooLargeError, or the reason of the signal
 */
export function loadDocument(
  url: string,
  signal: AbortSignal,
  onProgress?: (bytes: number) => void,
): Promise<LoadedDocument> {
  const worker = new Worker(new URL('./document.worker.ts', import.meta.url), { type: 'module' });
  return new Promise<LoadedDocument>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    worker.addEventListener('error', () =>
      reject(new ConnectionError('The page is out of date: reload it.')),
    );
    worker.addEventListener('message', ({ data }: MessageEvent<DocumentAnswer>) => {
      switch (data.kind) {
        case 'progress':
          onProgress?.(data.bytes);
          break;
        case 'arrived':
          // With its counterpart on maps: how long a picture takes is seen in the browser's own tools.
          performance.mark('document arrived');
          break;
        case 'loaded':
          resolve(data);
          break;
        case 'too-large':
          reject(new TooLargeError(data.bytes));
          break;
        case 'refused':
          if (data.status === 401) endSession();
          reject(refusal(data));
          break;
        case 'unreachable':
          reject(new ConnectionError('The service cannot be reached.'));
          break;
        default:
          data satisfies never;
      }
    });
    const request: DocumentRequest = { url, token: currentToken() };
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}

function refusal({ status, body, retryAfter }: DocumentAnswer & { kind: 'refused' }): RequestError {
  const problem = (body as Problem | null) ?? unnamedProblem(status);
  return new RequestError(status, problem, null, retryAfter);
}

const unnamedProblem = (status: number): Problem => ({
  status,
  type: 'about:blank',
  title: 'The service refused.',
  detail: `The service answered ${status}: try again soon.`,
});
