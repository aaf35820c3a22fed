/** Every command in the documents is run, or stands below with the reason why not. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { importModel } from '../src/cli/import-model.js';
import { packageRoot } from '../src/util/package-root.js';
import { type Ended, type Started, start } from './cli-support.js';
import { type Command, commandsIn, commandsOf, DOCUMENTS, wordsOf } from './document-commands.js';

const test = suite('commands of the documents');
const root = packageRoot();
const CLI = 'npm run -s cli -- ';

/** Where a reader would be, with what the documents take for granted beside the repository's own files. */
let folder: string;
/** A gateway such as the documents say is running. */
let gateway: Started;
let address: string;

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexigate-'));
  symlinkSync(join(root, 'samples'), join(folder, 'samples'));
  mkdirSync(join(folder, 'models'));
  symlinkSync(join(root, 'models', 'en-base'), join(folder, 'models', 'en-base'));
  const fixtures = join(root, 'test', 'fixtures');
  for (const file of ['cert.pem', 'key.pem']) copyFileSync(join(fixtures, 'tls', file), join(folder, file));
  for (const file of ['model.onnx', 'tokens.txt']) {
    copyFileSync(join(fixtures, 'forms', 'zipformer2Ctc', file), join(folder, file));
  }
  const forms = join(fixtures, 'forms', 'zipformer2Ctc');
  const tokens = join(forms, 'tokens.txt');
  await importModel(join(forms, 'model.onnx'), { tokens, out: tiny(), modelVersion: '1' });
  gateway = begin(['serve', '--model', 'models/en-base']);
  address = await gateway.said(/listens on (\S+)/);
});
test.after(async () => {
  gateway.process.kill('SIGTERM');
  await gateway.ended;
  await rm(folder, { recursive: true });
});

/** A model that loads in no time; what it hears does not matter where a server has only to start. */
function tiny(): string {
  return join(folder, 'tiny');
}

/** `lexigate` in the reader's folder, a server at a port that is free, with the model that it names or a small one. */
function begin(args: readonly string[]): Started {
  const [command] = args;
  const port = command === 'serve' ? ['--port', '0', '--workers', '1'] : [];
  const serves = command === 'serve' || command === 'replay';
  const model = serves && !args.includes('--model') ? ['--model', tiny()] : [];
  return start([...args, ...port, ...model], {}, folder);
}

async function end(args: readonly string[]): Promise<Ended> {
  const ended = await begin(args).ended;
  assert.is(ended.code, 0, ended.err);
  return ended;
}

/** Runs until it is told to stop, as a reader would with Ctrl-C. */
async function serve(args: readonly string[]): Promise<void> {
  const server = begin(args);
  const url = await server.said(/listens on (\S+)/);
  if (args.includes('--record')) {
    await end(['transcribe', 'samples/before.wav', '--url', url]);
  }
  server.process.kill('SIGTERM');
  const { code, err } = await server.ended;
  assert.is(code, 0, err);
}

let alone = true;

/** Through a gateway of its own the first time only: those that follow need not load the model again. */
async function transcribe(args: readonly string[]): Promise<void> {
  const local = args.map((arg) => (arg.startsWith('ws://127.0.0.1:8080/') ? address : arg));
  const more = local.includes('--url') ? [] : alone ? ['--workers', '1'] : ['--url', address];
  alone = alone && local.includes('--url');
  const { out } = await end([...local, ...more]);
  const file = args[args.indexOf('--out') + 1];
  const text = args.includes('--out') ? await readFile(join(folder, file!), 'utf8') : out;
  assert.match(text, args.includes('names.txt') ? /Siobhan\s+Kowalczyk/ : /meeting\s+starts/);
}

interface Check {
  readonly pattern: RegExp;
  /** Run it; for a command that no test can run, see that what it names is there. */
  readonly check: (words: string[], command: string) => void | Promise<void>;
  /** Why a command is not run here. */
  readonly because?: string;
}

const CHECKS: readonly Check[] = [
  { pattern: /^npm run -s cli -- serve/, check: (words) => serve(words.slice(5)) },
  { pattern: /^npm run -s cli -- transcribe/, check: (words) => transcribe(words.slice(5)) },
  {
    pattern: /^npm run -s cli -- explain/,
    check: async (words) => {
      const { out } = await end(words.slice(5));
      assert.match(out, 'Siobhan Kowalczyk: leads');
      assert.match(await readFile(join(folder, words.at(-1)!), 'utf8'), '&lt;no-bias&gt;');
    },
  },
  {
    pattern: /^npm run -s cli -- keys add/,
    check: async (words) => {
      const { out } = await end(words.slice(5));
      assert.match(out, /^lxg_/);
    },
  },
  {
    pattern: /^npm run -s cli -- import-model/,
    check: async (words) => {
      await end(words.slice(5));
    },
  },
  {
    pattern: /^npm run -s cli -- replay recordings\//,
    check: async (words) => {
      const [session] = readdirSync(join(folder, 'recordings'));
      assert.is(dirname(words.at(-1)!), 'recordings');
      await end(['replay', join('recordings', session!)]);
    },
  },
  {
    pattern: /^echo "[\w ]+" > [\w.]+$/,
    check: (_, command) => {
      assert.is(spawnSync('sh', ['-c', command], { cwd: folder }).status, 0);
    },
  },
  {
    pattern: /^lexigate /,
    because: 'a name in a sentence; where it is shown with its options, it is run',
    check: ([, ...words]) => commandExists(words),
  },
  {
    pattern: /^npm run eval -- /,
    because: 'it takes recordings with transcripts; test/evaluation-run.test.ts makes some',
    check: (words) => namedIn(words, helpOf(['build/src/cli/eval.js', '--help'])),
  },
  {
    pattern: /^npm run peers -- /,
    because: 'it takes recordings and the other decoders; test/peers.test.ts tests our side',
    check: (words) => namedIn(words, source('load-tests/peers')),
  },
  {
    pattern: /^npm run (?:load|load:peers|soak) -- /,
    because: 'it takes minutes and the whole machine, the peers Python and models besides',
    check: (words) => namedIn(words, source('load-tests')),
  },
  {
    pattern: /^npm run [\w:-]+$/,
    because: 'a name in a sentence, or longer than a test may last',
    check: ([, , name]) => {
      const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
        scripts: Readonly<Record<string, string>>;
      };
      assert.ok(name! in scripts, `package.json has no script ${name}`);
    },
  },
  {
    pattern: /^npm ci$/,
    because: 'it would take the modules away from under this test; .ci/run begins with it',
    check: () => assert.ok(existsSync(join(root, 'package-lock.json'))),
  },
  { pattern: /^npm test$/, because: 'this is it', check: () => undefined },
  {
    pattern: /^git clone REPOSITORY lexigate$|^cd lexigate$/,
    because: 'where the repository lies is known to its reader alone',
    check: () => undefined,
  },
  {
    pattern: /^(?:python3 -m venv VENV|VENV\/bin\/pip install -r \S+)$/,
    because: 'it downloads; test/peers.test.ts tests our side',
    check: (words) => words.includes('-r') && assert.ok(existsSync(join(root, words.at(-1)!))),
  },
  {
    pattern: /^python3 online-websocket-client-decode-file\.py /,
    because: "it is sherpa-onnx's; test/compat-sherpa.test.ts behaves as it does",
    check: () => undefined,
  },
  {
    pattern: /^docker run -p 2700:2700 alphacep\/kaldi-en$/,
    because: 'it is what the reader had before',
    check: () => undefined,
  },
  {
    pattern: /^ffplay -f s16le -ar 16000 audio\.raw$/,
    because: 'it plays a recording to a loudspeaker',
    check: () => undefined,
  },
  { pattern: /^node --import$/, because: 'a name in a sentence', check: () => undefined },
];

/** Training takes days, corpora and Python: here only that the programs are there, with the options shown. */
const TRAINING: readonly Check[] = [
  {
    pattern: /^python \w+\.py/,
    because: 'training takes corpora and hours',
    check: ([, file, ...words]) => {
      const homes = ['training', 'training/language'].map((home) => join(root, home, file!));
      const programs = homes.filter(existsSync);
      assert.ok(programs.length > 0, `there is no ${file}`);
      namedIn(words, programs.map((program) => readFileSync(program, 'utf8')).join('\n'));
    },
  },
  {
    pattern:
      /^(?:python -m venv|\. \.venv|pip install|pip download|npm pack|tar xzf|apt-get|git clone|\(cd whisper)/,
    because: 'it downloads, or unpacks what was',
    check: (words) => {
      for (const [i, word] of words.entries()) {
        if (word !== '-r') continue;
        const homes = ['training', 'training/language'].map((home) => join(root, home, words[i + 1]!));
        assert.ok(homes.some(existsSync), `there is no ${words[i + 1]}`);
      }
    },
  },
];

const helps = new Map<string, string>();

function helpOf(args: readonly string[]): string {
  const key = args.join(' ');
  const known = helps.get(key);
  if (known !== undefined) return known;
  const { status, stdout } = spawnSync(process.execPath, [...args], { cwd: root, encoding: 'utf8' });
  assert.is(status, 0, key);
  helps.set(key, stdout);
  return stdout;
}

/** Options that are shown must be options that there are, by a help or by a program that declares them. */
function namedIn(words: readonly string[], text: string): void {
  for (const word of words.filter((each) => /^--\w/.test(each))) {
    assert.ok(text.includes(word) || text.includes(` ${word.slice(2)}: {`), `there is no option ${word}`);
  }
}

/** A command and its options, if any are shown; a help costs a second. */
function commandExists([name, ...words]: readonly string[]): void {
  const main = 'build/src/cli/main.js';
  assert.match(helpOf([main, '--help']), new RegExp(`^  ${name}\\b`, 'm'));
  if (name === 'keys') assert.match(helpOf([main, 'keys', '--help']), new RegExp(`^  ${words[0]}\\b`, 'm'));
  else if (words.some((word) => /^--(?!help)/.test(word))) namedIn(words, helpOf([main, name!, '--help']));
}

function source(home: string): string {
  const files = readdirSync(join(root, home), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(root, home, file), 'utf8'))
    .join('\n');
}

function checkOf({ document, text }: Pick<Command, 'document' | 'text'>): Check | undefined {
  const training = document.startsWith('training/');
  return [...(training ? TRAINING : []), ...CHECKS].find(({ pattern }) => pattern.test(text));
}

/** Looked after command by command by test/operations-document.test.ts, which has a gateway with keys for them. */
const ELSEWHERE = 'docs/operations.md';

const seen = new Set<string>();
for (const document of DOCUMENTS) {
  for (const command of commandsOf(document)) {
    if (document === ELSEWHERE && !command.inline) continue;
    // `a && b` on one line is two commands, but for what only makes sense together
    for (const text of command.text.startsWith('(') ? [command.text] : command.text.split(' && ')) {
      if (seen.has(text)) continue;
      seen.add(text);
      const check = checkOf({ document, text });
      const how = check?.because === undefined ? '' : ` (not run: ${check.because})`;
      test(`${document}: ${text}${how}`, async () => {
        assert.ok(check, 'nobody looks after this command; see CHECKS in test/documents.test.ts');
        await check.check(wordsOf(text), text);
      });
    }
  }
}

test('a document that is new is read too, and a command that is new is one that nobody looks after', () => {
  const markdown =
    'As `lexigate frob` does:\n\n```sh\nnpm run -s cli -- frob a \\\n  --b   # so\n```\n\n    docker frob\n';
  const found = commandsIn(markdown);
  assert.equal(found, [
    { text: `${CLI}frob a --b`, inline: false },
    { text: 'docker frob', inline: false },
    { text: 'lexigate frob', inline: true },
  ]);
  assert.is(checkOf({ document: 'README.md', text: found[0]!.text }), undefined);
  assert.is(checkOf({ document: 'README.md', text: found[1]!.text }), undefined);
  assert.ok(DOCUMENTS.some((document) => basename(document) === 'models.md'));
});

test('what a document links to within the repository is there', () => {
  for (const document of DOCUMENTS) {
    const text = readFileSync(join(root, document), 'utf8').replace(/^```\w*\n.*?^```/gms, '');
    for (const [, target] of text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(root, dirname(document), target!)), `${document}: ${target}`);
    }
  }
});

test.run();
