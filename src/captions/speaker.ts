/** What a speaker is called of whom only the channel is known. */
export function speakerName(channel: number): string {
  return `Speaker ${channel + 1}`;
}
