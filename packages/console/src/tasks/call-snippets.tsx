import { useState } from 'react';
import { SERVICE_URL } from '../api/service-address.js';
import type { TaskEntry } from '../api/organization-api.js';
import { type Packed, unpack } from '../document/packed.js';
import { CopyButton } from '../ui/copy-button.js';

/** Parameters longer than this are read from a file in the calls. */
const MOST_INLINE = 3_000;
const LANGUAGES = ['curl', 'CLI', 'Python', 'TypeScript'] as const;
type Language = (typeof LANGUAGES)[number];

/** The same job from a program, to copy. The token is never part of it. */
export function CallSnippets({
  entry,
  org,
  value,
}: {
  entry: TaskEntry;
  org: string;
  value: unknown;
}) {
  const [language, setLanguage] = useState<Language>('curl');
  const [open, setOpen] = useState(false);
  return (
    <details
      className="panel"
      open={open}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>The same from a program</summary>
      {open && (
        <div className="stack">
          <div className="switch" role="group" aria-label="Language">
            {LANGUAGES.map((each) => (
              <button
                key={each}
                type="button"
                aria-pressed={each === language}
                onClick={() => setLanguage(each)}
              >
                {each}
              </button>
            ))}
          </div>
          <pre className="log small" tabIndex={0} aria-label={`Call by ${language}`}>
            {snippet(language, entry, org, value)}
          </pre>
          <div>
            <CopyButton label="Copy" text={() => snippet(language, entry, org, value)} />
          </div>
        </div>
      )}
    </details>
  );
}

function snippet(language: Language, entry: TaskEntry, org: string, value: unknown): string {
  const plain = unpack(value as Packed);
  const text = JSON.stringify(plain);
  const isLong = text.length > MOST_INLINE;
  const address = `${SERVICE_URL}/compute/orgs/${org}/${entry.key}`;
  const preview = entry.feature_flag !== undefined;
  switch (language) {
    case 'curl':
      return [
        ...(isLong ? ['# body.json: {"parameters": …}, as Download gives it'] : []),
        `curl -i ${address} \\`,
        `  -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\`,
        ...(preview ? [`  -H 'API-Preview: opt-in' \\`] : []),
        isLong
          ? '  --data @body.json'
          : `  -d '${JSON.stringify({ parameters: plain }).replaceAll("'", `'\\''`)}'`,
      ].join('\n');
    case 'CLI':
      return [
        `export HEADFRAME_URL=${SERVICE_URL} HEADFRAME_ORG=${org} # HEADFRAME_TOKEN, or headframe login`,
        isLong
          ? `headframe run ${entry.key} --parameters parameters.json${preview ? ' --preview' : ''}`
          : `headframe run ${entry.key} --parameters -${preview ? ' --preview' : ''} <<'JSON'\n${text}\nJSON`,
      ].join('\n');
    case 'Python':
      return [
        'import json, os, requests',
        '',
        isLong
          ? 'parameters = json.load(open("parameters.json"))'
          : `parameters = json.loads(${JSON.stringify(text)})`,
        'answer = requests.post(',
        `    "${address}",`,
        '    headers={"Authorization": f"Bearer {os.environ[\'TOKEN\']}"' +
          (preview ? ', "API-Preview": "opt-in"' : '') +
          '},',
        '    json={"parameters": parameters}, allow_redirects=False)',
        'answer.raise_for_status()',
        `print("${SERVICE_URL}" + answer.headers["Location"])`,
      ].join('\n');
    case 'TypeScript':
      return [
        "import { HeadframeClient } from 'headframe-client';",
        ...(isLong ? ["import parameters from './parameters.json' with { type: 'json' };"] : []),
        '',
        'const client = new HeadframeClient({',
        `  url: '${SERVICE_URL}',`,
        `  org: '${org}',`,
        '  token: process.env.TOKEN!,',
        '});',
        `const results = await client.run('${entry.key}', ${isLong ? 'parameters' : JSON.stringify(plain, null, 2)}${preview ? ', { preview: true }' : ''});`,
        'console.log(results);',
      ].join('\n');
    default:
      return language satisfies never;
  }
}
