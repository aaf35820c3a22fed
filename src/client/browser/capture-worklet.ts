/** Runs on the browser's audio thread: what flows through the node becomes packets, which it posts. */
import { Packetiser } from '../packets.js';

// of the worklet's global scope, which TypeScript's library does not describe
declare const sampleRate: number;
declare function registerProcessor(
  name: string,
  processor: new (options: { readonly processorOptions: ProcessorOptions }) => AudioWorkletProcessor,
): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

const PACKETS_PER_SECOND = 10;

export interface ProcessorOptions {
  /** Of the packets. */
  readonly channels: 1 | 2;
}

class CaptureProcessor extends AudioWorkletProcessor {
  readonly #packetiser: Packetiser;
  #ended = false;

  constructor({ processorOptions }: { readonly processorOptions: ProcessorOptions }) {
    super();
    this.#packetiser = new Packetiser(Math.round(sampleRate / PACKETS_PER_SECOND), processorOptions.channels);
    // whatever it says, it asks for the rest
    this.port.onmessage = () => {
      this.#ended = true;
      const rest = this.#packetiser.flush();
      if (rest !== undefined) this.port.postMessage(rest);
      this.port.postMessage(undefined);
    };
  }

  process([input]: Float32Array[][]): boolean {
    if (this.#ended) return false;
    for (const packet of this.#packetiser.push(input ?? [])) {
      this.port.postMessage(packet, [packet.bytes.buffer]);
    }
    return true;
  }
}

registerProcessor('lexigate-capture', CaptureProcessor);
