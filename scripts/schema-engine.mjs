// Prisma's schema engine as WebAssembly, joined to a PostgreSQL server by a driver adapter of ours.
// Prisma's own adapter serves its client; for migrations it falls short twice: it cuts scripts at
// every semicolon (also inside function bodies), and refuses catalogue types such as "char".

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  DriverAdapterError,
} from '@prisma/driver-adapter-utils';
import pg from 'pg';

/** @typedef {import('@prisma/driver-adapter-utils').SqlQuery} SqlQuery */
/** @typedef {import('@prisma/driver-adapter-utils').SqlDriverAdapter} SqlDriverAdapter */
/** @typedef {import('@prisma/driver-adapter-utils').SqlMigrationAwareDriverAdapterFactory} Factory */

/** What the engine is to take each of PostgreSQL's types for, by OID. @type {Record<number, number>} */
const COLUMN_TYPES = {
  16: ColumnTypeEnum.Boolean,
  18: ColumnTypeEnum.Character, // "char", the catalogue's one-byte type
  19: ColumnTypeEnum.Text, // name
  20: ColumnTypeEnum.Int64,
  21: ColumnTypeEnum.Int32,
  23: ColumnTypeEnum.Int32,
  24: ColumnTypeEnum.Text, // regproc
  25: ColumnTypeEnum.Text,
  26: ColumnTypeEnum.Int64, // oid
  194: ColumnTypeEnum.Text, // pg_node_tree
  700: ColumnTypeEnum.Float,
  701: ColumnTypeEnum.Double,
  1000: ColumnTypeEnum.BooleanArray,
  1002: ColumnTypeEnum.CharacterArray,
  1003: ColumnTypeEnum.TextArray, // name[]
  1005: ColumnTypeEnum.Int32Array,
  1007: ColumnTypeEnum.Int32Array,
  1009: ColumnTypeEnum.TextArray,
  1015: ColumnTypeEnum.TextArray,
  1016: ColumnTypeEnum.Int64Array,
  1028: ColumnTypeEnum.Int64Array,
  1042: ColumnTypeEnum.Text,
  1043: ColumnTypeEnum.Text,
  1114: ColumnTypeEnum.DateTime,
  1184: ColumnTypeEnum.DateTime,
  1700: ColumnTypeEnum.Numeric,
  2205: ColumnTypeEnum.Text, // regclass
  2206: ColumnTypeEnum.Text, // regtype
  2950: ColumnTypeEnum.Uuid,
};

/** Loaded once: the bindings keep the memory of one instance. @type {ReturnType<typeof loadEngine> | undefined} */
let loading;

/**
 * Lends an engine that knows the given schema files and makes its shadow database on the server at
 * `url`. Afterwards the database and every connection are gone: the engine itself leaves them.
 *
 * @template T
 * @param {string} url an address with the right to create databases
 * @param {{ path: string, content: string }[]} schemaFiles
 * @param {(engine: import('@prisma/schema-engine-wasm').SchemaEngine) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withEngine(url, schemaFiles, use) {
  const { SchemaEngine } = await (loading ??= loadEngine());
  /** @type {SqlDriverAdapter[]} */
  const opened = [];
  const factory = bindMigrationAwareSqlAdapterFactory(adapterFactory(url, opened));
  /** @type {[string, string][]} */
  const datamodels = schemaFiles.map(({ path, content }) => [path, content]);
  const engine = await SchemaEngine.new({ datamodels }, () => {}, factory);
  try {
    return await use(engine);
  } finally {
    engine.free();
    for (const connection of opened) await connection.dispose();
  }
}

/**
 * Node 20 imports no WebAssembly by itself, so the package's two halves are joined here. The engine
 * says why it gave up through a global that Prisma's command line would have set.
 */
async function loadEngine() {
  const panics = { set_message: (/** @type {string} */ message) => console.error(message) };
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: panics });
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const require = createRequire(import.meta.url);
  const glue = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bytes = await readFile(glue.replace(/\.js$/, '.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, {
    './schema_engine_bg.js': /** @type {any} */ (bindings),
  });
  bindings.__wbg_set_wasm(instance.exports);
  /** @type {{ __wbindgen_start(): void }} */ (
    /** @type {any} */ (instance.exports)
  ).__wbindgen_start();
  return bindings;
}

/**
 * @param {string} url
 * @param {SqlDriverAdapter[]} opened every connection is added here
 * @returns {Factory}
 */
function adapterFactory(url, opened) {
  /** @param {SqlDriverAdapter} connection */
  const keep = (connection) => {
    opened.push(connection);
    return connection;
  };
  return {
    provider: 'postgres',
    adapterName: 'headframe-migration',
    connect: async () => keep(await adapter(url, async () => {})),
    connectToShadowDb: async () => {
      const database = `shadow_${randomUUID().replaceAll('-', '')}`;
      await once(url, `CREATE DATABASE ${database}`);
      const shadow = new URL(url);
      shadow.pathname = `/${database}`;
      const drop = () => once(url, `DROP DATABASE ${database} WITH (FORCE)`);
      return keep(await adapter(shadow.href, drop));
    },
  };
}

/**
 * @param {string} url
 * @param {string} sql
 */
async function once(url, sql) {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/**
 * @param {string} url
 * @param {() => Promise<void>} afterwards
 * @returns {Promise<SqlDriverAdapter>}
 */
async function adapter(url, afterwards) {
  const client = new pg.Client(url);
  client.on('error', () => {}); // also rejects the query that runs
  await client.connect();
  /** @type {Promise<void> | undefined} */
  let disposed;
  return {
    provider: 'postgres',
    adapterName: 'headframe-migration',
    queryRaw: async (query) => {
      const { fields, rows } = await run(client, query);
      return {
        columnNames: fields.map((field) => field.name),
        columnTypes: fields.map((field) => columnType(field)),
        rows,
      };
    },
    executeRaw: async (query) => (await run(client, query)).rowCount ?? 0,
    executeScript: async (script) => {
      await client.query(script).catch(refuse); // whole: no parameters, so the simple protocol
    },
    startTransaction: async () => {
      throw new Error('The schema engine is not expected to open a transaction.');
    },
    getConnectionInfo: () => ({ schemaName: 'public', supportsRelationJoins: true }),
    dispose: () => (disposed ??= client.end().then(afterwards)),
  };
}

/**
 * @param {pg.Client} client
 * @param {SqlQuery} query
 */
function run(client, { sql, args }) {
  return client
    .query({
      text: sql,
      values: args,
      rowMode: 'array',
      types: { getTypeParser: /** @type {any} */ (parser) },
    })
    .catch(refuse);
}

/**
 * Dates and numbers of arbitrary size stay text, as the engine expects them.
 *
 * @param {number} oid
 * @param {'text' | 'binary'} format
 */
function parser(oid, format) {
  const asText = [ColumnTypeEnum.DateTime, ColumnTypeEnum.Numeric];
  if (asText.includes(/** @type {any} */ (COLUMN_TYPES[oid]))) return String;
  if (oid === 1003) return pg.types.getTypeParser(1009, format);
  return pg.types.getTypeParser(oid, format);
}

/**
 * @param {pg.FieldDef} field
 * @returns {import('@prisma/driver-adapter-utils').ColumnType}
 */
function columnType({ name, dataTypeID }) {
  const type = COLUMN_TYPES[dataTypeID];
  if (type === undefined)
    throw new Error(`Column ${name} has type ${dataTypeID}: add it to COLUMN_TYPES.`);
  return /** @type {import('@prisma/driver-adapter-utils').ColumnType} */ (type);
}

/**
 * @param {Error & { code?: string, severity?: string, detail?: string, column?: string, hint?: string }} error
 * @returns {never}
 */
function refuse({ message, code = 'XX000', severity = 'ERROR', detail, column, hint }) {
  throw new DriverAdapterError({
    kind: 'postgres',
    code,
    severity,
    message,
    detail,
    column,
    hint,
    originalCode: code,
    originalMessage: message,
  });
}
