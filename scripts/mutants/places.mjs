// Where a mutant is put: found by the name of a statement, of an SQL function or of a method, and in it by
// words, whatever the white space between them. So neither a formatter nor a move to another file breaks one.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} Place one of the three
 * @property {string} [statement] the name under which a store sends it: the method that does is meant
 * @property {string} [sql] a function of the database: its text in force, in the newest migration that has it
 * @property {string} [method] `Class.method`
 */

/** @typedef {{file: string, start: number, end: number}} Extent `file` from the project's root; offsets in its text */

/**
 * @param {string} root @param {Place} place @returns {Extent}
 * @throws when there is no such place, or more than one
 */
export function extentOf(root, { statement, sql, method }) {
  if (sql !== undefined) return functionExtent(root, sql);
  const [name = '', member = ''] = (method ?? '').split('.');
  const found = filesBelow(root, 'src')
    .filter((file) => file.endsWith('.ts') && !file.startsWith('src/generated'))
    .flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      const extents = membersOf(text).map((extent) => ({ file, ...extent }));
      return extents.filter(({ start, end }) =>
        statement === undefined
          ? text.includes(`class ${name} `) &&
            new RegExp(`^ {2}(\\w+ )*${member}\\(`, 'm').test(
              text.slice(start, end).split('\n', 1)[0] ?? '',
            )
          : file.endsWith('.store.ts') && text.slice(start, end).includes(`'${statement}'`),
      );
    });
  return only(found, statement ?? method ?? '');
}

/** @param {string} root @param {string} name @returns {Extent} */
function functionExtent(root, name) {
  const begins = new RegExp(`^CREATE (?:OR REPLACE )?FUNCTION "?${name}"?\\s*\\(`, 'm');
  const files = filesBelow(root, 'prisma/migrations')
    .filter((file) => file.endsWith('.sql'))
    .sort();
  for (const file of files.reverse()) {
    const text = readFileSync(join(root, file), 'utf8');
    const start = begins.exec(text)?.index;
    if (start === undefined) continue;
    const quote = /\$\w*\$/.exec(text.slice(start))?.[0] ?? '$$';
    const opened = text.indexOf(quote, start) + quote.length;
    return { file, start, end: text.indexOf(quote, opened) };
  }
  throw new Error(`No migration makes the function ${name}.`);
}

/** The members of classes, as the formatter leaves them: two spaces deep, up to a brace as deep. @param {string} text */
function membersOf(text) {
  return [...text.matchAll(/^ {2}(?:[a-z]+ )*\w+[(<][\s\S]*?^ {2}\}$/gm)].map(
    ({ 0: all, index }) => ({
      start: index,
      end: index + all.length,
    }),
  );
}

/**
 * @param {string} text @param {readonly [find: string, replace: string][]} edits each to be found once
 * @throws when one is not
 */
export function edited(text, edits) {
  return edits.reduce((now, [find, replace]) => {
    const places = [...now.matchAll(words(find))];
    if (places.length !== 1) {
      throw new Error(`These words are there ${places.length} times, not once:\n${find}`);
    }
    // A function: `$` has no meaning in what it returns.
    return now.replace(words(find), () => replace);
  }, text);
}

/** Matches the same words and signs, however they are spaced. @param {string} text */
function words(text) {
  const tokens = text.match(/\w+|[^\w\s]/g) ?? [];
  const source = tokens.reduce((before, token, index) => {
    const apart = index > 0 && /\w$/.test(tokens[index - 1] ?? '') && /^\w/.test(token);
    return `${before}${index === 0 ? '' : apart ? '\\s+' : '\\s*'}${token.replace(/[^\w]/g, '\\$&')}`;
  }, '');
  return new RegExp(source, 'g');
}

/** @param {string} root @param {string} folder @returns {string[]} from the project's root, with slashes */
const filesBelow = (root, folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
    (file) => `${folder}/${file.replaceAll('\\', '/')}`,
  );

/** @template T @param {T[]} found @param {string} name */
function only(found, name) {
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(`"${name}" is there ${found.length} times, not once.`);
  }
  return first;
}
