import { z } from 'zod';

/** An address of the web. */
export const httpUrl = z.url({
  protocol: /^https?$/,
  error: 'must be an http:// or https:// address',
});

/** What goes in front of every link: an address that paths can be joined to. */
export const publicUrl = httpUrl
  .superRefine((text, context) => {
    for (const [isWrong, message] of PUBLIC_URL_FAULTS) {
      if (URL.canParse(text) && isWrong(text)) {
        context.addIssue({ code: 'custom', message });
      }
    }
  })
  .transform((text) => {
    const { protocol, host, pathname } = new URL(text);
    return `${protocol}//${host}${pathname}`.replace(/\/+$/, '');
  });

const PUBLIC_URL_FAULTS: readonly (readonly [(text: string) => boolean, string])[] = [
  [
    (text) => text.includes('?'),
    'must have no query: links are made by adding a path, so remove the ? and all behind it',
  ],
  [
    (text) => text.includes('#'),
    'must have no fragment: links are made by adding a path, so remove the # and all behind it',
  ],
  [
    (text) => new URL(text).password !== '',
    'must have no password: every client would read it in its links, so remove what stands before the @',
  ],
  [
    (text) => /[\s\\]/.test(text) || !/^https?:\/\/[^/]/i.test(text),
    'must begin with http:// or https:// and a host, without blanks and backslashes',
  ],
  [
    (text) => new URL(text).pathname.replace(/\/+$/, '').includes('//'),
    'must have no empty segment in its path: write one slash for two',
  ],
];
