import { type Broadcast, openBroadcast } from './broadcast.js';
import { CaptionsView } from './captions-view.js';
import { byId } from './dom.js';

/** The captions of the caption page and nothing else. `?background=…&color=…&size=…` suit it to what it is shown on. */
const root = document.documentElement;
const parameters = new URLSearchParams(location.search);
for (const name of ['background', 'color', 'size']) {
  const value = parameters.get(name);
  if (value !== null) root.style.setProperty(`--${name}`, value);
}

const waiting = byId('waiting', HTMLElement);
const view = new CaptionsView(byId('captions', HTMLElement), { explained: false });
const broadcast = openBroadcast();
broadcast.addEventListener('message', ({ data }: MessageEvent<Broadcast>) => {
  if (data.type === 'line') {
    waiting.hidden = true;
    view.show(data.line);
  } else if (data.type === 'clear') view.clear();
});
broadcast.postMessage({ type: 'hello' } satisfies Broadcast);
