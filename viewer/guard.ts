// Guard: who may talk to the viewer's server, and what they may do.

import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

export type Role = "control" | "read";

export interface Access {
  /** null on the loopback alone, where none is needed. */
  readonly controlToken: string | null;
  readonly readToken: string | null;
  /** The names under which this server may be asked for, without ports; null allows any. */
  readonly hosts: readonly string[] | null;
}

export const loopbackHosts = ["127.0.0.1", "localhost", "[::1]"];

/** Whether the address is this machine's own. */
export function isLoopback(host: string): boolean {
  return ["127.0.0.1", "localhost", "::1"].includes(host);
}

/** The role of whoever asks; null for those who may not, such as pages of other origins. */
export function roleOf(request: IncomingMessage, access: Access): Role | null {
  const { host, origin } = request.headers;
  if (host === undefined || !hostAllowed(host, access.hosts)) return null;
  if (origin !== undefined && !sameHost(origin, host)) return null;
  if (access.controlToken === null) return "control";
  const token = tokenOf(request);
  if (equal(token, access.controlToken)) return "control";
  return access.readToken !== null && equal(token, access.readToken) ? "read" : null;
}

function hostAllowed(host: string, hosts: readonly string[] | null): boolean {
  return hosts === null || hosts.includes(host.replace(/:\d+$/, ""));
}

function sameHost(origin: string, host: string): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

function tokenOf({ headers, url }: IncomingMessage): string {
  const bearer = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  try {
    return new URL(url ?? "/", "http://localhost").searchParams.get("token") ?? "";
  } catch {
    return "";
  }
}

function equal(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
