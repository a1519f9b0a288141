import { csvTable, type CsvTable } from './csv-table.js';

/** What the page is told of a file. */
export type CsvAnswer = { readonly table: CsvTable } | { readonly fault: string };

/** Reads a table in a thread of its own: a million lines would stop the page. */
self.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => {
  const { postMessage } = self as unknown as {
    postMessage(message: CsvAnswer, transfer?: Transferable[]): void;
  };
  try {
    const table = csvTable(new Uint8Array(data));
    postMessage(
      { table },
      table.columns.map(({ values }) => values.buffer as ArrayBuffer),
    );
  } catch (error) {
    postMessage({ fault: error instanceof Error ? error.message : 'The file cannot be read.' });
  }
});
