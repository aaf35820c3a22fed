import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue } from 'prom-client';

/** The metrics of a thread at one moment, as plain data that can cross to another. */
export type MetricSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** The sum of several, per name and labels. */
export async function sum(snapshots: readonly MetricSnapshot[]): Promise<MetricSnapshot> {
  return AggregatorRegistry.aggregate([...snapshots]).getMetricsAsJSON();
}

/** What stays of a thread that is no more: what it counted, not how full it was. */
export function counted(snapshot: MetricSnapshot): MetricSnapshot {
  // in its JSON, prom-client's type is the text of its name
  return snapshot.filter(({ type }) => String(type) !== 'gauge');
}
