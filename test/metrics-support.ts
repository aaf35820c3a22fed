import { Exposition } from '../src/observability/exposition.js';
import { GatewayMetrics } from '../src/observability/gateway-metrics.js';
import { RecognitionMetrics } from '../src/observability/recognition-metrics.js';
import { ERROR_CODES } from '../src/protocol/errors.js';

/** The samples of a page in Prometheus' text format, by name and labels as they are written. */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

/** Names of the metrics on a page, each with its type. */
export function metricTypes(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
}

/** What a gateway with a worker shows before anything has happened, each metric with its type. */
export async function exposedMetrics(): Promise<ReadonlyMap<string, string>> {
  const build = { version: '1', model: 'm', modelVersion: '2' };
  const gateway = new GatewayMetrics({ errorCodes: ERROR_CODES, build });
  gateway.look({ workers: () => 1, outputBytes: () => 0 });
  const worker = new RecognitionMetrics({ waitingSteps: () => 0, keptListBytes: () => 0 });
  const { text } = await new Exposition(async () => [
    await gateway.snapshot(),
    await worker.snapshot(),
  ]).expose();
  return metricTypes(text);
}
