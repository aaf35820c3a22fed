import { byId } from './dom.js';

/** Quieter than this, in dB below full scale, is drawn as nothing. */
const FLOOR_DB = 60;

/** The level meter and the latency read-out. */
export class Gauges {
  readonly #meter = byId('level', HTMLMeterElement);
  readonly #latency = byId('latency', HTMLElement);

  /** @param level root mean square, 0 to 1 */
  level(level: number): void {
    const db = level > 0 ? 20 * Math.log10(level) : -FLOOR_DB;
    this.#meter.value = Math.max(0, 1 + db / FLOOR_DB);
  }

  latency(ms: number | undefined): void {
    this.#latency.textContent = ms === undefined ? '–' : `${Math.round(ms)} ms`;
  }
}
