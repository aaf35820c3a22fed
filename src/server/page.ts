import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

/** What browsers get, and at which paths. Nothing else of the folder can be had, whatever a path says. */
const FILES = [
  { path: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/projector', file: 'projector.html', type: 'text/html; charset=utf-8' },
  { path: '/page.js', file: 'page.js', type: 'text/javascript; charset=utf-8' },
  { path: '/projector.js', file: 'projector.js', type: 'text/javascript; charset=utf-8' },
  { path: '/capture-worklet.js', file: 'capture-worklet.js', type: 'text/javascript; charset=utf-8' },
  { path: '/page.css', file: 'page.css', type: 'text/css; charset=utf-8' },
  { path: '/projector.css', file: 'projector.css', type: 'text/css; charset=utf-8' },
  { path: '/icon.svg', file: 'icon.svg', type: 'image/svg+xml' },
];

/** A page that was made to run something foreign could listen in: it may load and reach nothing but this server. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'microphone=(self), camera=(), geolocation=()',
  // asked for again each time, and mostly answered with 304: a new version must not meet an old script
  'Cache-Control': 'no-cache',
};

interface PageFile {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
}

/** The caption page's files in memory, by path. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** @param folder what the build's bundling step has made */
export async function readPage(folder: string): Promise<PageFiles> {
  const files = await Promise.all(
    FILES.map(async ({ path, file, type }) => {
      const body = await readFile(join(folder, file)).catch((cause: unknown) => {
        throw new Error(`The caption page is not built: ${file} is missing in ${folder}.`, { cause });
      });
      const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
      return [path, { body, type, etag }] as const;
    }),
  );
  return new Map(files);
}

/** Answers where the path is one of the page's; false where it is not. */
export function servePage(
  files: PageFiles,
  pathname: string,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const file = files.get(pathname);
  if (file === undefined) return false;
  const { body, type, etag } = file;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': 0 }).end();
    return true;
  }
  const known = (request.headers['if-none-match'] ?? '').split(',').some((tag) => tag.trim() === etag);
  if (known) response.writeHead(304, { ...HEADERS, ETag: etag }).end();
  else {
    const headers = { ...HEADERS, ETag: etag, 'Content-Type': type, 'Content-Length': body.length };
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : body);
  }
  return true;
}
