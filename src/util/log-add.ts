/** Natural logarithm of the sum of two probabilities that are given as natural logarithms. */
export function logAdd(a: number, b: number): number {
  const high = Math.max(a, b);
  const low = Math.min(a, b);
  return low === -Infinity ? high : high + Math.log1p(Math.exp(low - high));
}
