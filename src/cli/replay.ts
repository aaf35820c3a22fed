import { compare, type Recording, readRecording, replay } from '../recording/replay.js';
import { packageVersion } from '../util/package-root.js';
import { startWorkers } from './compose.js';
import { hashModel } from './model-hash.js';
import type { ServeSettings } from './settings.js';

/** Repeats a recorded session: messages on standard output, on standard error whether they are what they were. */
export async function replayRecording(folder: string, settings: ServeSettings): Promise<void> {
  const recording = await readRecording(folder);
  for (const difference of await differences(recording, settings.model))
    say(`${difference}; messages may differ`);
  const pool = await startWorkers({ ...settings, workers: 1 });
  const lines: string[] = [];
  try {
    await replay(recording, pool, (line) => {
      lines.push(line);
      process.stdout.write(`${line}\n`);
    });
  } finally {
    await pool.stop();
  }
  const { same, messages, difference } = compare(recording, lines);
  const { ended, why } = recording.end;
  const how = ended === 'stopped' ? '' : ` (the recording is ${ended}${why === undefined ? '' : `: ${why}`})`;
  if (same) say(`${messages} messages, the same as recorded${how}`);
  else {
    say(`message ${difference!.line} differs${how}`);
    say(`recorded: ${difference!.recorded ?? 'nothing'}`);
    say(`replayed: ${difference!.replayed ?? 'nothing'}`);
    process.exitCode = 1;
  }
}

/** In what it ran on. */
async function differences({ session }: Recording, folder: string): Promise<string[]> {
  const { lexigate, model } = session;
  const files = await hashModel(folder);
  const names = [...new Set([...Object.keys(model.files), ...Object.keys(files)])];
  const changed = names.filter((name) => model.files[name] !== files[name]);
  const version = packageVersion();
  return [
    ...(changed.length > 0 ? [`the model's ${changed.join(', ')} was another when it was recorded`] : []),
    ...(lexigate === version ? [] : [`it was recorded by lexigate ${lexigate}, this is ${version}`]),
  ];
}

function say(what: string): void {
  process.stderr.write(`lexigate: ${what}\n`);
}
