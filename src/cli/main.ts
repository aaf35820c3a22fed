#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander';
import { packageVersion } from '../util/package-root.js';
import { demo } from './demo.js';
import { type ExplainOptions, explain } from './explain.js';
import { addImportCommand } from './import-model.js';
import { addKeyCommands } from './keys.js';
import { replayRecording } from './replay.js';
import { serve } from './serve.js';
import { addSettings, readSettings } from './settings.js';
import { type TranscribeOptions, transcribe } from './transcribe.js';
import { TRANSCRIPT_FORMATS, type TranscriptFormat } from './transcript-file.js';

const program = new Command('lexigate')
  .description('Streaming speech-to-text gateway whose vocabulary changes while people speak.')
  .version(packageVersion())
  .showHelpAfterError('(add --help for what can be given)');

addSettings(program.command('serve'))
  .description('Run the gateway until it is told to stop (SIGTERM or Ctrl-C lets open sessions finish).')
  .addHelpText('after', '\nSettings count in this order: flag, environment variable, config file, default.')
  .action(async (_: unknown, command: Command) => {
    await serve(readSettings(command));
  });

addSettings(program.command('transcribe'))
  .description('Transcribe WAV files, through a gateway of its own or through a running one.')
  .argument('<file...>', 'WAV files of 1 or 2 channels, 8 to 48 kHz')
  .option(
    '--vocabulary <file>',
    'an entry a line: text, optionally tab and weight, tabs and sounds-like spellings',
  )
  .addOption(formatOption('srt', 'print subtitles as SubRip'))
  .addOption(formatOption('vtt', 'print subtitles as WebVTT'))
  .addOption(formatOption('txt', 'print the text alone, a segment a line'))
  .addOption(formatOption('json', 'print every message as JSON, the last one being the transcript'))
  .option('--out <file>', 'write to a file instead; its ending says the format where no flag does')
  .option('--url <address>', 'use a running gateway, for example ws://127.0.0.1:8080/v1/stream')
  .addOption(new Option('--key <key>', 'key or token for that gateway').env('LEXIGATE_KEY'))
  .option('--realtime', 'send the audio at the speed of speech', false)
  .option('--latency <ms>', 'chunk and look-ahead together, as the model offers', positive)
  .option('--no-language-model', 'hypotheses by sound alone')
  .option('--beam <n>', 'hypotheses kept per step, 1 for greedy', positive)
  .action(async (files: string[], options: TranscribeOptions, command: Command) => {
    await transcribe(files, options, readSettings(command));
  });

addSettings(program.command('demo'))
  .description(
    'Stream two bundled samples and add a name between them, to see captions change as they are spoken.',
  )
  .action(async (_: unknown, command: Command) => {
    await demo(readSettings(command));
  });

addSettings(program.command('replay'))
  .description('Repeat a session that "serve --record" recorded, and say whether its messages are the same.')
  .argument('<folder>', 'the folder of one session')
  .action(async (folder: string, _: unknown, command: Command) => {
    await replayRecording(folder, readSettings(command));
  });

addSettings(program.command('explain'))
  .description(
    'Draw which entries of a list the network attends to over a recording, and say which it was drawn to.',
  )
  .argument('<file>', 'WAV, FLAC or Ogg Opus file')
  .requiredOption('--vocabulary <file>', 'an entry a line, as for transcribe')
  .option('--out <file>', 'the picture, an SVG document', 'attention.svg')
  .option('--latency <ms>', 'chunk and look-ahead together, as the model offers', positive)
  .action(async (file: string, options: ExplainOptions, command: Command) => {
    await explain(file, options, readSettings(command));
  });

addKeyCommands(program);
addImportCommand(program);

function formatOption(format: TranscriptFormat, description: string): Option {
  return new Option(`--${format}`, description).conflicts(
    TRANSCRIPT_FORMATS.filter((other) => other !== format),
  );
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number above 0.');
  return value;
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`lexigate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
