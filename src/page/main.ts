import { captureMicrophone, capturePlayback, decodeAudioFile } from '../client/browser/client.js';
import type { FinalMessage, PartialMessage, StoppedMessage } from '../protocol/messages.js';
import { setUpAppearance } from './appearance.js';
import { type Broadcast, openBroadcast } from './broadcast.js';
import { type CaptionLine, lineOf } from './caption-line.js';
import { CaptionsView } from './captions-view.js';
import { Credential } from './credential.js';
import { byId } from './dom.js';
import { Downloads } from './downloads.js';
import { Explanation } from './explanation.js';
import { Gauges } from './gauges.js';
import { Listening } from './listening.js';
import { Sources } from './sources.js';
import { Transcript } from './transcript.js';
import { VocabularyEditor } from './vocabulary-editor.js';

/** Lines that a projector gets that is opened in the middle. */
const LINES_FOR_PROJECTOR = 4;

/** The caption page. */
class Page {
  readonly #status = byId('status', HTMLElement);
  readonly #spoken = byId('spoken', HTMLElement);
  readonly #placeholder = byId('placeholder', HTMLElement);
  readonly #transcript = new Transcript();
  readonly #downloads = new Downloads(this.#transcript);
  readonly #gauges = new Gauges();
  readonly #broadcast = openBroadcast();
  readonly #credential = new Credential();
  readonly #lines = new Map<string, CaptionLine>();
  readonly #view: CaptionsView;
  readonly #vocabulary: VocabularyEditor;
  readonly #sources: Sources;
  #listening: Listening | undefined;
  /** A projector may hear several pages. */
  readonly #name = Math.random().toString(36).slice(2);
  #sessions = 0;
  /** Of the session's audio. */
  #channels = 1;
  /** The list was changed while the session was still being opened. */
  #changedEarly = false;
  #late = false;
  /** Where the newest word that was shown ends, in seconds of the session's audio. */
  #shownUntil = 0;

  constructor() {
    const captions = byId('captions', HTMLElement);
    const view = new CaptionsView(captions, { explained: true });
    this.#view = view;
    new Explanation(captions, byId('explanation', HTMLElement), (element) => view.wordOf(element));
    setUpAppearance({ onResize: () => view.resized() });
    this.#vocabulary = new VocabularyEditor(() => void this.#applyVocabulary());
    this.#vocabulary.waiting();
    this.#sources = new Sources({
      onMicrophone: () => void this.#run((listening) => listening.hear(captureMicrophone)),
      onFile: (file, how) =>
        void this.#run(async (listening) => {
          const audio = await decodeAudioFile(file);
          // a file of one channel has one speaker, whatever is ticked
          const apart = how.apart && audio.numberOfChannels === 2;
          if (!how.played) return listening.read(audio, apart);
          return listening.hear((options) => capturePlayback({ ...options, audio, apart }));
        }),
      onStop: () => this.#stop(),
    });
    // asked for before anybody speaks; who cancels is asked again when they start
    this.#credential.obtain().catch(() => undefined);
    byId('clear', HTMLButtonElement).addEventListener('click', () => this.#clear());
    this.#broadcast.addEventListener('message', ({ data }: MessageEvent<Broadcast>) => {
      if (data.type === 'hello') for (const line of this.#lines.values()) this.#tell({ type: 'line', line });
    });
  }

  async #run(hear: (listening: Listening) => Promise<StoppedMessage>): Promise<void> {
    const session = `${this.#name}/${this.#sessions++}`;
    this.#shownUntil = 0;
    this.#late = false;
    this.#vocabulary.newSession();
    const listening = new Listening({
      url: streamUrl(),
      token: () => this.#credential.obtain(),
      vocabulary: this.#vocabulary.entries,
      onReady: ({ model, latencyMs, vocabulary }, { sampleRate, channels }) => {
        this.#channels = channels;
        this.#say(`Listening. Model ${model.name} ${model.version}, ${latencyMs} ms.`);
        if (vocabulary !== undefined) this.#vocabulary.inForce(vocabulary, sampleRate);
        if (this.#changedEarly) void this.#applyVocabulary();
        this.#changedEarly = false;
      },
      onCaption: (message) => this.#caption(message, session),
      onLevel: (level) => this.#gauges.level(level),
      onTrouble: (text) => this.#say(text),
    });
    this.#listening = listening;
    this.#sources.show(true);
    this.#say('Connecting…');
    try {
      const { audioSeconds, words } = await hear(listening);
      this.#say(`Stopped. ${words} words in ${audioSeconds.toFixed(1)} s.`);
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error));
    } finally {
      this.#transcript.endSession(listening.seconds);
      this.#listening = undefined;
      this.#sources.show(false);
      this.#gauges.level(0);
      this.#vocabulary.waiting();
    }
  }

  #stop(): void {
    this.#say('Stopping…');
    this.#listening?.stop();
  }

  #caption(message: PartialMessage | FinalMessage, session: string): void {
    this.#placeholder.hidden = true;
    const line = lineOf(message, session, this.#channels);
    this.#view.show(line);
    this.#measure(message.end);
    this.#sayLag(message.lagMs);
    this.#tell({ type: 'line', line });
    this.#lines.delete(line.key);
    this.#lines.set(line.key, line);
    for (const key of this.#lines.keys()) {
      if (this.#lines.size <= LINES_FOR_PROJECTOR) break;
      this.#lines.delete(key);
    }
    if (message.type === 'partial') return;
    this.#transcript.add(message, line.speaker);
    this.#downloads.update();
    this.#spoken.textContent = line.speaker === undefined ? message.text : `${line.speaker}: ${message.text}`;
  }

  /** Captions that are late shall not look like words that were not heard. */
  #sayLag(lagMs: number | undefined): void {
    if (lagMs !== undefined) {
      this.#say(`The gateway is overloaded: captions are about ${Math.round(lagMs / 1000)} s late.`);
    } else if (this.#late) this.#say('Listening.');
    this.#late = lagMs !== undefined;
  }

  /** From the end of the last word to the picture that shows it. */
  #measure(end: number): void {
    const heardAt = this.#listening?.heardAt(end);
    if (end <= this.#shownUntil) return;
    this.#shownUntil = end;
    requestAnimationFrame((now) => {
      this.#gauges.latency(heardAt === undefined ? undefined : Math.max(0, now - heardAt));
    });
  }

  async #applyVocabulary(): Promise<void> {
    const listening = this.#listening;
    if (listening?.client === undefined) {
      this.#changedEarly = listening !== undefined;
      this.#vocabulary.waiting();
      return;
    }
    try {
      // whoever adds a name has mostly just heard it
      const applied = await listening.client.updateVocabulary({
        replace: [...this.#vocabulary.entries],
        retroactive: true,
      });
      this.#vocabulary.inForce(applied, listening.sampleRate);
    } catch (error) {
      this.#vocabulary.refused(error instanceof Error ? error.message : String(error));
    }
  }

  #clear(): void {
    this.#view.clear();
    this.#transcript.clear();
    this.#downloads.update();
    this.#lines.clear();
    this.#spoken.textContent = '';
    this.#placeholder.hidden = false;
    this.#tell({ type: 'clear' });
  }

  #tell(broadcast: Broadcast): void {
    this.#broadcast.postMessage(broadcast);
  }

  #say(text: string): void {
    // said again to screen readers, if it were put there again
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }
}

/** Beside the page, also behind a proxy that puts both below a path. */
function streamUrl(): string {
  const url = new URL('v1/stream', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href;
}

new Page();
