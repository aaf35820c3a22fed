import type { CaptionLine } from './caption-line.js';

/** Between the caption page and projector pages of the same browser. */
export type Broadcast =
  | { readonly type: 'line'; readonly line: CaptionLine }
  | { readonly type: 'clear' }
  /** A projector was opened and asks for what is shown. */
  | { readonly type: 'hello' };

export function openBroadcast(): BroadcastChannel {
  return new BroadcastChannel('lexigate-captions');
}
