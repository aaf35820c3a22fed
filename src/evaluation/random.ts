import { createHash } from 'node:crypto';

/** Uniform in [0, 1) with 32 bits: SHA-256 in counter mode, the same on every machine and version. */
export function randomNumbers(key: string): () => number {
  let block = Buffer.alloc(0);
  let count = 0;
  return () => {
    if (block.length < 4) block = createHash('sha256').update(`${key}\n${count++}`).digest();
    const value = block.readUInt32LE(0) / 2 ** 32;
    block = block.subarray(4);
    return value;
  };
}
