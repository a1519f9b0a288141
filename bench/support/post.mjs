import { request } from 'node:http';

/**
 * Sends a body and waits for the whole answer.
 * @param {URL} url
 * @param {{agent: import('node:http').Agent, token: string, body: string, expected: number}} options
 * @throws {Error} when the answer has another status than the one expected
 */
export function post(url, { agent, token, body, expected }) {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        agent,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (answer) => {
        answer.resume();
        answer.on('end', () =>
          answer.statusCode === expected
            ? resolve(undefined)
            : reject(new Error(`answered ${answer.statusCode}`)),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
