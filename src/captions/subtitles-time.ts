/** `HH:MM:SS` and milliseconds behind the given mark: SRT has a comma there, WebVTT a point. */
export function timestamp(seconds: number, mark: ',' | '.'): string {
  const ms = Math.round(seconds * 1000);
  const pad = (value: number, width: number): string => String(Math.floor(value)).padStart(width, '0');
  return `${pad(ms / 3_600_000, 2)}:${pad((ms / 60_000) % 60, 2)}:${pad((ms / 1000) % 60, 2)}${mark}${pad(ms % 1000, 3)}`;
}
