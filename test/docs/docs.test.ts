import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PROBLEMS, problemType } from '../../src/platform/http/problem/problem.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', 'generated']);

/** Every Markdown file of the project, relative to its folder. */
function pages(folder = ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return NOT_OURS.has(entry.name) || entry.name.startsWith('.') ? [] : pages(path);
    }
    return entry.name.endsWith('.md') ? [relative(ROOT, path)] : [];
  });
}

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

const withoutCode = (text: string): string =>
  text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '');

/** Targets of links and images that are neither elsewhere in the world nor only an anchor's place. */
function relativeLinks(page: string): string[] {
  const text = withoutCode(read(page));
  return [...text.matchAll(/\]\(<?([^)\s>]+)>?[^)]*\)|\b(?:src|href)="([^"]+)"/g)]
    .map((match) => match[1] ?? match[2] ?? '')
    .filter((target) => !/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target));
}

/** The anchors of a page's headings, as the usual renderers make them. */
function anchors(page: string): string[] {
  return [
    ...read(page)
      .replace(/^```.*?^```/gms, '')
      .matchAll(/^#{1,6} (.+)$/gm),
  ].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
}

/** What is wrong with a link; null when it leads somewhere. */
function fault(page: string, link: string): string | null {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : relative(ROOT, resolve(ROOT, dirname(page), decodeURI(path)));
  if (!existsSync(join(ROOT, target))) {
    return `${page}: ${link} leads nowhere`;
  }
  const known = anchor === undefined || !target.endsWith('.md') || anchors(target).includes(anchor);
  return known ? null : `${page}: ${link} names no heading`;
}

/** Status and slug of each row of the tables in one section of docs/errors.md. */
function problemRows(section: string): string[] {
  const text =
    read('docs/errors.md')
      .split(/^## /m)
      .find((part) => part.startsWith(section)) ?? '';
  return [...text.matchAll(/^\| (\d{3}) \| `([a-z-]+)` \|/gm)].map((row) => `${row[1]} ${row[2]}`);
}

describe('the documentation', () => {
  it('lists in docs/errors.md exactly the problems that the service knows, with their statuses', () => {
    const known = Object.entries(PROBLEMS).map(([slug, [status]]) => `${status} ${slug}`);
    expect(problemRows('Problems of the service').toSorted()).toEqual(known.toSorted());
  });

  it('shows in docs/errors.md no body whose status or title is another than the service sends', () => {
    const text = read('docs/errors.md');
    const bodies = [...text.matchAll(/^\{"status":.*\}$/gm)].map(
      ([line]) => JSON.parse(line) as { status: number; type: string; title: string },
    );
    expect(bodies.length).toBeGreaterThan(20);
    for (const { status, type, title } of bodies) {
      const own = Object.entries(PROBLEMS).find(([slug]) => problemType(slug) === type)?.[1];
      expect([type, status, title]).toEqual([type, ...(own ?? [422, title])]);
    }
  });

  it('has no relative link that leads nowhere', () => {
    const faults = pages().flatMap((page) => relativeLinks(page).map((link) => fault(page, link)));
    expect(faults.length).toBeGreaterThan(10);
    expect(faults.filter((found) => found !== null)).toEqual([]);
  });

  it('mentions only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const mentioned = pages().flatMap((page) =>
      [
        ...read(page).matchAll(/\bnpm (?:run (?:-s |--silent )*([a-z][\w:-]*)|(start|test)\b)/g),
      ].map((match) => ({ page, script: match[1] ?? match[2] ?? '' })),
    );
    expect(mentioned.length).toBeGreaterThan(10);
    expect(mentioned.filter(({ script }) => !(script in scripts))).toEqual([]);
  });
});
