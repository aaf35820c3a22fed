/** Runs every test file and ends with the line `N passed, N failed`. uvu's own runner, with its totals read back. */
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const uvu = spawn(process.execPath, ['node_modules/uvu/bin.js', folder, '\\.test\\.js$'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
let output = '';
uvu.stdout.setEncoding('utf8');
uvu.stdout.on('data', (text: string) => {
  output += text;
  process.stdout.write(text);
});
uvu.on('close', (code) => {
  const count = (label: string): number => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(output)?.[1] ?? 0);
  const total = count('Total');
  const passed = count('Passed');
  const failed = total - passed + (code !== 0 && total === passed ? 1 : 0);
  const skipped = count('Skipped');
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
});
