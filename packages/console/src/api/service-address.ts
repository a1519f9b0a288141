/** Where the console is mounted, with a slash at its end: the `<base>` of the page says so. */
export const CONSOLE_PATH = new URL(document.baseURI).pathname;

/** The service's own address, without a slash at its end: the console lies one level below. */
export const SERVICE_URL = new URL('..', document.baseURI).href.replace(/\/+$/, '');
