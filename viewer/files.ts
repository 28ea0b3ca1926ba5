// Files: serves a folder's files over HTTP on this machine, with the headers that the pages need.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the build puts the pages. */
export const pageFolder = fileURLToPath(new URL("../page/", import.meta.url)); // from dist/viewer

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".xml": "application/xml",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webp": "image/webp",
};

/** Nothing of another origin may be in the pages or embed them, and they load only what is served here. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Content-Security-Policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; " +
    "img-src 'self' data: blob:; connect-src 'self' ws: wss: data:; worker-src 'self' blob:; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};

/** Answers with the file that the request's path names below `folder`, or with 404. */
export async function sendFile(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = fileIn(folder, request.url ?? "/");
  const found = path === null ? null : await stat(path).catch(() => null);
  if (path === null || !found?.isFile()) {
    response.writeHead(404, { "Content-Type": "text/plain" }).end("not found\n");
    return;
  }
  const packed = /\bgzip\b/.test(String(request.headers["accept-encoding"]))
    ? await stat(`${path}.gz`).catch(() => null)
    : null;
  const hashed = path.includes(`${sep}assets${sep}`);
  response.writeHead(200, {
    ...pageHeaders,
    "Content-Type": types[extname(path)] ?? "application/octet-stream",
    "Content-Length": (packed ?? found).size,
    ...(packed && { "Content-Encoding": "gzip" }),
    "Cache-Control": hashed ? "max-age=31536000, immutable" : "no-cache",
  });
  if (request.method === "HEAD") response.end();
  else createReadStream(packed ? `${path}.gz` : path).pipe(response);
}

/** A server of one folder on a free port of 127.0.0.1. */
export async function serveFolder(
  folder: string,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => void sendFile(folder, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => closeServer(server) };
}

/** Ends a server and the connections that it holds. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** The path below `folder`; null for one that leads out of it or is no path. */
function fileIn(folder: string, url: string): string | null {
  try {
    const { pathname } = new URL(url, "http://localhost");
    const name = normalize(decodeURIComponent(pathname));
    if (name.includes("\0") || name.split(/[\\/]/).includes("..")) return null;
    return join(folder, name.endsWith("/") ? `${name}index.html` : name);
  } catch {
    return null;
  }
}
