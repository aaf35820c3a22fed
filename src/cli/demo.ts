import type { ServeSettings } from './settings.js';
export async function demo(_settings: ServeSettings): Promise<void> {}
