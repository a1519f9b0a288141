import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const CHROMIUM = '/usr/bin/chromium';

/** Whether there is a browser; without one its tests skip themselves: `apt-get install chromium` brings it. */
export const hasBrowser = existsSync(CHROMIUM);

/** A page of a real browser, and what it did that it should not have done. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors of scripts, errors on the console, and requests to other hosts. */
  readonly faults: string[];
}

/** A browser for the tests of one file. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}

/**
 * Opens a page of its own, with an empty storage.
 * @param url the service's: requests to any other host are faults
 * @param expected what on the console is no fault here
 */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions & { expected?: RegExp } = {},
): Promise<WatchedPage> {
  const { expected, ...given } = options;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...given });
  const page = await context.newPage();
  const faults: string[] = [];
  const note = (text: string) => {
    if (expected === undefined || !expected.test(text)) faults.push(text);
  };
  page.on('pageerror', ({ message }) => note(message));
  page.on('console', (message) => {
    const from = message.location().url;
    // What a page of another host says is no fault of ours; to ask one is, see below.
    if (from !== '' && !from.startsWith(url)) return;
    if (message.type() === 'error' || message.type() === 'warning') note(message.text());
  });
  page.on('request', (request) => {
    const address = new URL(request.url());
    if (address.protocol.startsWith('http') && address.origin !== url)
      note(`asked ${address.href}`);
  });
  return { page, faults };
}

/** Signs in with a token and waits for the page behind. */
export async function signInWith(page: Page, address: string, token: string): Promise<void> {
  await page.goto(address);
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in with a token' }).click();
  await page.getByRole('link', { name: 'Jobs', exact: true }).waitFor();
}

/** Fails when axe finds what hinders people, seriously or worse; says what and where. */
export async function expectAccessible(page: Page): Promise<void> {
  // The policy of the page lets no script in: by the browser's own protocol it is let in.
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe: inPage } = globalThis as unknown as {
      axe: {
        run(): Promise<{
          violations: { id: string; impact: string; nodes: { target: string[]; html: string }[] }[];
        }>;
      };
    };
    const { violations } = await inPage.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`);
  });
  expect(found).toEqual([]);
}
