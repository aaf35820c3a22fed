/** Runs on the browser's audio thread: what flows through the node becomes packets, which it posts. */
import { Packetiser } from '../packets.js';

// of the worklet's global scope, which TypeScript's library does not describe
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

const PACKETS_PER_SECOND = 10;

class CaptureProcessor extends AudioWorkletProcessor {
  readonly #packetiser = new Packetiser(Math.round(sampleRate / PACKETS_PER_SECOND));
  #ended = false;

  constructor() {
    super();
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
