import { manifest, tasksFolder } from './process-tasks.js';

/** Writes the parameters everywhere a command can write to, and then does what its name says. */
const script = (last: string) =>
  `read -r line; echo "$line" >&2; echo '{"progress": 50, "message": "half"}'; ${last}`;

const command = (last: string) => ['/bin/sh', '-c', script(last)];
const parameters = {
  type: 'object',
  required: ['text'],
  properties: { text: { type: 'string', maxLength: 1_000 } },
  additionalProperties: false,
};

/**
 * A folder for `TASKS_DIR` with three tasks that take `{"text": …}`: `test/echo` succeeds with it,
 * `test/refuse` fails with a problem that says it, `test/crash` with its command.
 */
export const echoTasksFolder = (): string =>
  tasksFolder({
    echo: manifest({
      name: 'echo',
      command: command(`printf '{"results": %s}\\n' "$line"`),
      parameters,
      results: parameters,
      example: { text: 'hello' },
    }),
    refuse: manifest({
      name: 'refuse',
      // The parameters are one line of JSON with one text: what lies between the last quotes.
      command: command(
        `text=\${line#*:\\"}; printf '{"problem": {"status": 422, "title": "No.", "detail": "%s"}}\\n' "\${text%\\"*}"`,
      ),
      parameters,
      example: { text: 'hello' },
    }),
    crash: manifest({
      name: 'crash',
      command: command('exit 3'),
      parameters,
      example: { text: 'hello' },
    }),
  });
