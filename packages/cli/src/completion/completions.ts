import type { Command, Option } from 'commander';

/**
 * What the last of the words may become.
 * @param words after the name of the program; the last one is being written, and may be empty
 * @param tasks asked for the names of tasks only where one is wanted
 */
export async function completions(
  program: Command,
  words: readonly string[],
  tasks: () => Promise<string[]>,
): Promise<string[]> {
  const current = words.at(-1) ?? '';
  let at = program;
  let given = 0;
  let open: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (open !== undefined) {
      open = undefined;
      continue;
    }
    const inside = at.commands.find((each) => each.name() === word);
    if (inside !== undefined && given === 0) at = inside;
    else if (word.startsWith('-')) open = optionsOf(at, program).find((each) => takes(each, word));
    else given += 1;
  }
  if (open !== undefined) return matching(open.argChoices ?? [], current);
  if (current.startsWith('-')) {
    const flags = optionsOf(at, program).flatMap(({ long }) => (long ? [long] : []));
    return matching([...flags, '--help'], current);
  }
  const names = at.commands.map((each) => each.name()).filter((name) => name !== 'complete');
  const argument = at.registeredArguments[given] ?? at.registeredArguments.at(-1);
  const values =
    argument === undefined || (given > 0 && !argument.variadic)
      ? []
      : [
          ...(argument.argChoices ?? []),
          ...(argument.name() === 'task' ? await tasks() : []),
          ...(['job', 'jobs'].includes(argument.name()) ? ['@latest'] : []),
        ];
  return matching([...(given === 0 ? names : []), ...values], current);
}

const optionsOf = (command: Command, program: Command): readonly Option[] =>
  command === program ? command.options : [...command.options, ...program.options];

/** Whether a word is an option whose value is still to come. */
const takes = (option: Option, word: string): boolean =>
  (option.required || option.optional) && [option.short, option.long].includes(word);

const matching = (words: readonly string[], start: string): string[] =>
  words.filter((word) => word.startsWith(start));
