/** @typedef {import('pg').Client} Client */

/**
 * Everything that Prisma's schema cannot express and that is in force in a database, as text: one entry
 * for each function and view, and one for each table with its CHECKs, triggers, policies and grants.
 *
 * @param {Client} client
 * @returns {Promise<Map<string, string>>} SQL by `functions/<name>`, `views/<name>`, `tables/<name>`
 */
export async function definitions(client) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const { file, sql } of await rows(client, FUNCTIONS)) found.set(file, `${sql.trim()};\n`);
  for (const { file, sql } of await rows(client, VIEWS)) found.set(file, `${sql.trim()}\n`);
  for (const { file, sql } of await rows(client, TABLES)) {
    if (sql !== null) found.set(file, `${sql.trim()}\n`);
  }
  return found;
}

/** @param {Client} client @param {string} query @returns {Promise<{file: string, sql: string}[]>} */
async function rows(client, query) {
  return (await client.query(query)).rows;
}

/** Two functions of one name share a file. */
const FUNCTIONS = `
  SELECT 'functions/' || p.proname AS file,
         string_agg(rtrim(pg_get_functiondef(p.oid), E'\\n'), E';\\n\\n' ORDER BY p.oid) AS sql
  FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  GROUP BY p.proname ORDER BY p.proname`;

const VIEWS = `
  SELECT 'views/' || c.relname AS file,
         format(E'CREATE VIEW %I AS\\n%s', c.relname, pg_get_viewdef(c.oid, true)) AS sql
  FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'v'
  ORDER BY c.relname`;

/** In the order in which a reader asks: how it is stored, what a row may be, who may see and do what. */
const TABLES = `
  SELECT 'tables/' || c.relname AS file, nullif(concat_ws(E'\\n\\n',
    (SELECT format('ALTER TABLE %I SET (%s);', c.relname, array_to_string(c.reloptions, ', '))
     WHERE c.reloptions IS NOT NULL),
    (SELECT string_agg(format(E'ALTER TABLE %I ADD CONSTRAINT %I\\n    %s;', c.relname, k.conname,
              pg_get_constraintdef(k.oid)), E'\\n' ORDER BY k.conname)
     FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'),
    (SELECT string_agg(pg_get_indexdef(i.indexrelid) || ';', E'\\n' ORDER BY i.indexrelid::regclass::text)
     FROM pg_index i WHERE i.indrelid = c.oid AND (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL)),
    (SELECT string_agg(pg_get_triggerdef(t.oid, true) || ';', E'\\n' ORDER BY t.tgname)
     FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
    CASE WHEN c.relrowsecurity THEN format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY%s;', c.relname,
      CASE WHEN c.relforcerowsecurity THEN ', FORCE ROW LEVEL SECURITY' ELSE '' END) END,
    (SELECT string_agg(format('CREATE POLICY %I ON %I%s FOR %s TO %s', p.policyname, p.tablename,
              CASE p.permissive WHEN 'RESTRICTIVE' THEN ' AS RESTRICTIVE' ELSE '' END, p.cmd,
              array_to_string(p.roles, ', ')) || coalesce(E'\\n    USING (' || p.qual || ')', '')
              || coalesce(E'\\n    WITH CHECK (' || p.with_check || ')', '') || ';',
              E'\\n' ORDER BY p.roles::text, p.policyname)
     FROM pg_policies p WHERE p.schemaname = current_schema() AND p.tablename = c.relname),
    (SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
       SELECT format('GRANT %s ON %I TO %I;', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type),
                c.relname, r.rolname) AS line
       FROM aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
       WHERE a.grantee <> c.relowner GROUP BY r.rolname
       UNION ALL
       SELECT format('GRANT %s (%s) ON %I TO %I;', a.privilege_type,
                string_agg(quote_ident(t.attname), ', ' ORDER BY t.attnum), c.relname, r.rolname)
       FROM pg_attribute t CROSS JOIN LATERAL aclexplode(t.attacl) a JOIN pg_roles r ON r.oid = a.grantee
       WHERE t.attrelid = c.oid AND a.grantee <> c.relowner GROUP BY a.privilege_type, r.rolname) g)
  ), '') AS sql
  FROM pg_class c
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    AND c.relname <> '_prisma_migrations'
  ORDER BY c.relname`;
