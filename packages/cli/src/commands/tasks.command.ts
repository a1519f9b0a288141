import type { Command } from 'commander';
import type { Task } from 'headframe-client';
import { usageError } from '../cli-error.js';
import { command, type Context, doing, type Runtime, signedIn } from '../command.js';
import { fields, table } from '../terminal/table.js';

/** What is read of a JSON Schema. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

export function tasksCommand(runtime: Runtime): Command {
  const tasks = command('tasks', 'List the tasks that can be run', [
    ['headframe tasks', 'what there is'],
    ['headframe tasks show geostatistics/kriging', 'what one takes and gives'],
    ['headframe tasks show diagnostics/sleep --json', 'its JSON Schemas, too'],
  ]);
  doing(tasks, runtime, listTasks);
  const show = command('show', 'Show what a task takes and gives', [
    ['headframe tasks show geostatistics/idw', 'its parameters and results'],
  ]).argument('<task>', 'topic/task');
  return tasks.addCommand(doing(show, runtime, showTask));
}

async function listTasks(context: Context): Promise<void> {
  const { client } = await signedIn(context);
  const { terminal } = context;
  const tasks = await client.tasks();
  if (terminal.isJson) {
    terminal.json(tasks);
    return;
  }
  const rows = tasks.map((task) => [nameOf(task), String(task.version), task.display_name]);
  terminal.data(table(['TASK', 'VERSION', 'WHAT IT IS'], rows, terminal.columns));
}

async function showTask(context: Context, _: object, name = ''): Promise<void> {
  const { client } = await signedIn(context);
  const { terminal } = context;
  const tasks = await client.tasks({ details: true });
  const task = tasks.find((each) => nameOf(each) === name);
  if (task === undefined) {
    throw usageError(`There is no task ${name}.`, 'Which there are: headframe tasks');
  }
  if (terminal.isJson) {
    terminal.json(task);
    return;
  }
  const { columns } = terminal;
  terminal.data(
    `${fields([
      ['task', nameOf(task)],
      ['name', task.display_name],
      ['version', String(task.version)],
      ['preview', task.feature_flag === undefined ? null : 'yes: run it with --preview'],
      ['about', task.description],
    ])}\n${membersOf('PARAMETER', task.parameters as Schema, columns)}\n` +
      membersOf('RESULT', task.results as Schema, columns),
  );
  terminal.note(`\nRun it: headframe run ${name} --parameters FILE.json`);
}

export function nameOf({ topic, name }: Task): string {
  return `${topic}/${name}`;
}

function membersOf(title: string, schema: Schema | undefined, columns: number): string {
  const required = new Set(schema?.required ?? []);
  const rows = Object.entries(schema?.properties ?? {}).map(([name, member]) => [
    name,
    typeOf(member),
    required.has(name) ? 'required' : defaultOf(member),
    member.description ?? '',
  ]);
  return table([title, 'TYPE', '', ''], rows, columns);
}

function typeOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map(String).join('|');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const { type } = schema;
  if (type !== undefined) return typeof type === 'string' ? type : type.join('|');
  const kinds = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].map(typeOf);
  return [...new Set(kinds)].filter((kind) => kind !== 'null').join('|');
}

function defaultOf({ default: usual }: Schema): string {
  return usual === undefined || usual === null ? '' : `default ${JSON.stringify(usual)}`;
}
