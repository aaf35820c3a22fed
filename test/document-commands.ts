/** Commands that documents tell their readers to type. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/util/package-root.js';

/** Documents with commands, by their paths in the repository. */
export const DOCUMENTS: readonly string[] = [
  'README.md',
  ...readdirSync(join(packageRoot(), 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
  'samples/README.md',
  'models/en-base/README.md',
  'training/README.md',
  'training/language/README.md',
];

export interface Command {
  readonly document: string;
  /** One line, without its comment, joined where a backslash parts it. */
  readonly text: string;
  /** Amid a sentence or a table, where it is often only a name. */
  readonly inline: boolean;
}

/** What a line begins with that is a command even where no block says so. */
const PROGRAMS = 'npm|npx|node|lexigate|python3?|pip|git|docker|curl|sudo|ffplay';

export function commandsOf(document: string): Command[] {
  const text = readFileSync(join(packageRoot(), document), 'utf8');
  return commandsIn(text).map((command) => ({ document, ...command }));
}

/** Those of fenced and indented blocks, then those amid the text. */
export function commandsIn(markdown: string): Omit<Command, 'document'>[] {
  const blocks = [...markdown.matchAll(/^```(\w*)\n(.*?)^```/gms)].flatMap(([, language, body]) =>
    language === 'sh' ? lines(body!) : lines(body!).filter((line) => LOOKS_LIKE_ONE.test(line)),
  );
  const rest = markdown.replace(/^```\w*\n.*?^```/gms, '');
  const indented = [...rest.matchAll(/^ {4}(\S.*)$/gm)].map(([, line]) => line!);
  const typed = lines(indented.filter((line) => LOOKS_LIKE_ONE.test(line)).join('\n'));
  const inline = [...rest.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  return [
    ...[...blocks, ...typed].map((text) => ({ text, inline: false })),
    ...inline.filter((code) => LOOKS_LIKE_ONE.test(code)).map((text) => ({ text, inline: true })),
  ];
}

const LOOKS_LIKE_ONE = new RegExp(`^\\(?(?:${PROGRAMS}) `);

function lines(block: string): string[] {
  return block
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** The words of a command, quotes taken off. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
}
