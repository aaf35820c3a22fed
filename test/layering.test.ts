import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../src/util/package-root.js';

const source = join(packageRoot(), 'src');

/** What each room may import besides itself. A room that is not here may not exist. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  util: [],
  observability: ['util'],
  protocol: ['util'],
  audio: ['util'],
  encoder: ['util', 'audio'],
  phonetics: ['util', 'biasing'],
  biasing: ['util'],
  decoder: ['util', 'biasing', 'encoder'],
  // the encoder's layers and the list, to log-probabilities that lean towards it
  adapter: ['util', 'biasing', 'encoder'],
  captions: ['util', 'biasing', 'decoder'],
  session: [
    'util',
    'observability',
    'protocol',
    'audio',
    'encoder',
    'phonetics',
    'biasing',
    'decoder',
    'adapter',
    'captions',
  ],
  // who may come, of which the session knows only the limits that follow
  access: ['util', 'session'],
  server: ['util', 'observability', 'protocol', 'session', 'access'],
  compat: ['util', 'observability', 'protocol', 'audio', 'session'],
  // around recognisers, whichever protocol asks for them
  recording: ['util', 'audio', 'encoder', 'session'],
  client: ['protocol'],
  page: ['protocol', 'captions', 'client'],
  // phonetics: an anti-list is drawn by sound
  evaluation: [
    'util',
    'audio',
    'encoder',
    'adapter',
    'phonetics',
    'biasing',
    'decoder',
    'session',
    'protocol',
  ],
  cli: [
    'util',
    'adapter',
    'observability',
    'protocol',
    'audio',
    'encoder',
    'biasing',
    'decoder',
    'captions',
    'session',
    'access',
    'server',
    'compat',
    'client',
    'evaluation',
    'phonetics',
    'recording',
  ],
};

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
  readonly specifier: string;
}

function imports(): Import[] {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files.flatMap((file) => {
    const text = readFileSync(join(source, file), 'utf8');
    const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1]!);
    return specifiers.map((specifier) => {
      const target = relative(source, join(source, dirname(file), specifier));
      return { file, room: file.split('/')[0]!, target: target.split('/')[0]!, specifier };
    });
  });
}

test('every room imports only rooms whose nouns it may know', () => {
  const all = imports();
  assert.ok(all.length > 50, 'the imports were not found');
  const wrong = all.filter(
    ({ room, target }) => room !== target && !(MAY_IMPORT[room] ?? []).includes(target),
  );
  assert.equal(
    wrong.map(({ file, specifier }) => `${file} imports ${specifier}`),
    [],
  );
});

test('every room of the house is known', () => {
  const rooms = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of rooms) assert.ok(name in MAY_IMPORT, `src/${name} has no place in the house`);
});

test('only the pipeline joins the stages of audio, encoder, decoder and captions', () => {
  const operators = ['audio/window.js', 'encoder/encode.js', 'decoder/decode.js'];
  const joiners = imports().filter(
    ({ file, room, specifier }) =>
      room === 'session' &&
      file !== 'session/pipeline.ts' &&
      operators.some((operator) => specifier.endsWith(operator)),
  );
  assert.equal(joiners, []);
});

test('commands and pages reach a gateway by the SDK alone', () => {
  const users = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && /from 'ws'/.test(readFileSync(join(source, file), 'utf8')),
  );
  // the door, and for Node the one file that hands the SDK a socket; browsers bring their own
  assert.equal(users.sort(), ['client/client.ts', 'server/gateway.ts', 'server/websocket.ts']);
});

test('the SDK knows the protocol and, in Node, a socket', () => {
  const files = readdirSync(join(source, 'client'), { recursive: true, encoding: 'utf8' });
  const packages = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(join(source, 'client', file), 'utf8').matchAll(/from '([^.'][^']*)'/g),
    ])
    .map(([, name]) => name);
  assert.equal([...new Set(packages)], ['ws']);
});

test('the session knows no WebSocket library', () => {
  const files = readdirSync(join(source, 'session'), { encoding: 'utf8' });
  for (const file of files) {
    assert.not.match(readFileSync(join(source, 'session', file), 'utf8'), /from 'ws'/);
  }
});

test.run();
