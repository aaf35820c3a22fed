import { byId, recall, remember } from './dom.js';

/** Light or dark, and the size of the letters, as the reader left them. */
export function setUpAppearance({ onResize }: { readonly onResize: () => void }): void {
  const root = document.documentElement;
  const theme = byId('theme', HTMLSelectElement);
  const size = byId('size', HTMLInputElement);
  const apply = (): void => {
    root.dataset['theme'] = theme.value;
    root.style.setProperty('--caption-size', `${size.value}rem`);
    onResize();
  };
  theme.value = recall('lexigate-theme') ?? theme.value;
  size.value = recall('lexigate-size') ?? size.value;
  apply();
  theme.addEventListener('change', () => {
    remember('lexigate-theme', theme.value);
    apply();
  });
  size.addEventListener('input', () => {
    remember('lexigate-size', size.value);
    apply();
  });
}
