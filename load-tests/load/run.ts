import { cpus } from 'node:os';
import type { EntryObject, StartMessage } from '../../src/protocol/messages.js';
import { usage } from '../gateway-process.js';
import { Pacer } from './pacer.js';
import { type Reference, ReferenceMaker } from './reference.js';
import { Sightings } from './sightings.js';
import { PACKET_MS, type Speech } from './speech.js';
import { dialStream, LoadStream, type StreamOptions, type Target } from './stream.js';
import { type Track, tracksOf } from './track.js';
import { VocabularyUpdates } from './vocabulary-updates.js';

/** What is asked of a gateway. */
export interface Load {
  readonly streams: number;
  readonly seconds: number;
  readonly speech: Speech;
  readonly latencyMs?: number | undefined;
  readonly vocabulary: readonly EntryObject[];
  /** New lists a second, over all streams. */
  readonly updatesPerSecond: number;
  /** Only what is new is sent. */
  readonly patches: boolean;
  /** Connections a second that say something and are cut. */
  readonly churnPerSecond: number;
}

/** A gateway to load, and its process where it runs on this machine. */
export interface Gateway extends Target {
  readonly pid?: number;
}

export interface Measured {
  readonly seen: Sightings;
  /** Seconds of audio that the streams sent. */
  readonly audioSeconds: number;
  readonly wallSeconds: number;
  readonly gateway?: { readonly cpuSeconds: number; readonly rssMb: number };
  /** Of this process: what the load itself costs. */
  readonly clientCpuSeconds: number;
}

/** Processor time of gateway and clients as a share of all that there is: at 1 nothing is left. */
export function busy({ gateway, clientCpuSeconds, wallSeconds }: Measured): number {
  return ((gateway?.cpuSeconds ?? 0) + clientCpuSeconds) / (wallSeconds * cpus().length);
}

/** Streams begin spread over so many milliseconds: people do not begin to speak at the same moment. */
const SPREAD_MS = 2000;

/** Audio that a cut connection sends before it is cut. */
const CHURN_PACKETS = 5;

function startOf({ speech, latencyMs, vocabulary }: Load): Omit<StartMessage, 'type'> {
  return {
    audio: speech.format,
    ...(latencyMs !== undefined && { options: { latencyMs } }),
    ...(vocabulary.length > 0 && { vocabulary: [...vocabulary] }),
  };
}

/** What the idle gateway makes of each track: one stream each at a time that is nothing to it. */
export async function listen(target: Target, load: Load): Promise<Reference[]> {
  const tracks = tracksOf(load.speech, (load.seconds * 1000) / PACKET_MS);
  const makers = tracks.map((track) => new ReferenceMaker(track));
  const seen = new Sightings();
  // the lists that come later have entries that nobody says
  const quiet = { ...load, updatesPerSecond: 0 };
  await speak({ target, load: quiet, tracks, seen, count: tracks.length }, (i) => ({ record: makers[i]! }));
  if (seen.failed > 0) throw new Error(`the idle gateway at ${target.url} did not answer: ${errorsOf(seen)}`);
  return makers;
}

/** Loads a gateway and tells what was seen. @param references of the same speech, length and latency */
export async function run(gateway: Gateway, load: Load, references: readonly Reference[]): Promise<Measured> {
  const tracks = tracksOf(load.speech, (load.seconds * 1000) / PACKET_MS);
  const seen = new Sightings();
  const { pid } = gateway;
  const before = pid === undefined ? undefined : usage(pid);
  const clientBefore = process.cpuUsage();
  const begun = performance.now();
  let rssMb = 0;
  const watching = setInterval(() => {
    if (pid !== undefined) rssMb = Math.max(rssMb, usage(pid).rssMb);
  }, 1000);
  const stopChurn = churn(gateway, load, seen);
  await speak({ target: gateway, load, tracks, seen, count: load.streams }, (i) => ({
    compare: references[i % tracks.length]!,
  }));
  clearInterval(watching);
  stopChurn();
  const client = process.cpuUsage(clientBefore);
  return {
    seen,
    audioSeconds: audioSeconds(load, tracks),
    wallSeconds: (performance.now() - begun) / 1000,
    ...(pid !== undefined && {
      gateway: { cpuSeconds: usage(pid).cpuSeconds - before!.cpuSeconds, rssMb },
    }),
    clientCpuSeconds: (client.user + client.system) / 1e6,
  };
}

function audioSeconds({ streams }: Load, tracks: readonly Track[]): number {
  const packets = Array.from({ length: streams }, (_, i) => tracks[i % tracks.length]!.packets.length);
  return (packets.reduce((sum, each) => sum + each, 0) * PACKET_MS) / 1000;
}

interface Speaking {
  readonly target: Target;
  readonly load: Load;
  readonly tracks: readonly Track[];
  readonly seen: Sightings;
  readonly count: number;
}

/** All streams, from their begins to their ends. */
async function speak(
  { target, load, tracks, seen, count }: Speaking,
  referenceOf: (stream: number) => StreamOptions['reference'],
): Promise<void> {
  const pacer = new Pacer();
  const open: LoadStream[] = [];
  const stopUpdates = update(load, open);
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      await sleep((i / count) * SPREAD_MS);
      const { stream, over } = await LoadStream.open({
        target,
        start: startOf(load),
        track: tracks[i % tracks.length]!,
        pacer,
        seen,
        reference: referenceOf(i),
      });
      open.push(stream);
      await over;
    }),
  );
  stopUpdates();
}

/** Gives the streams new lists, one after the other. */
function update({ updatesPerSecond, vocabulary, patches }: Load, open: readonly LoadStream[]): () => void {
  if (updatesPerSecond === 0) return () => undefined;
  const updates = new VocabularyUpdates(vocabulary, patches);
  let turn = 0;
  const timer = setInterval(() => {
    open[turn++ % open.length]?.update((id) => updates.next(id));
  }, 1000 / updatesPerSecond);
  return () => clearInterval(timer);
}

/** Connections that come, say half a second and are cut without a word. */
function churn(target: Target, load: Load, seen: Sightings): () => void {
  if (load.churnPerSecond === 0) return () => undefined;
  const start = JSON.stringify({ type: 'start', ...startOf(load) });
  const packets = load.speech.utterances[0]!.packets.slice(0, CHURN_PACKETS);
  const timer = setInterval(() => {
    const socket = dialStream(target);
    socket.on('error', () => seen.error('connection'));
    socket.on('open', () => socket.send(start));
    socket.once('message', () => {
      for (const packet of packets) socket.send(packet);
      // once the packets are on their way
      setImmediate(() => socket.terminate());
      seen.cut++;
    });
  }, 1000 / load.churnPerSecond);
  return () => clearInterval(timer);
}

export function errorsOf({ errors, failed }: Sightings): string {
  const told = [...errors].map(([code, count]) => `${count} ${code}`).join(', ');
  return told === '' ? `${failed} connections failed` : told;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
