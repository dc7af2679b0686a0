import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** What the page may load and do: only what comes from this server, and no inline script or style. */
export const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Decides who may ask: the programs of a learner run on what is asked here. */
export class Guard {
  readonly token: string;

  /** @param token What the printed address has, by default a new one. */
  constructor(token: string = randomBytes(24).toString("base64url")) {
    this.token = token;
  }

  /**
   * Whether a request is for this server and comes from its own page: a name that somebody else's DNS leads here is
   * another host, and another page's request has another origin.
   *
   * @param port Where this server listens.
   */
  isFromHere({ headers, method }: IncomingMessage, port: number): boolean {
    const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
    const { host, origin, "sec-fetch-site": site } = headers;
    if (!hosts.includes(host ?? "")) return false;
    if (origin !== undefined && origin !== `http://${host}`) return false;
    // A browser sends the origin with every POST.
    if (method !== "GET" && origin === undefined) return false;
    return site === undefined || site === "same-origin" || site === "none";
  }

  /** Whether a token is ours. */
  isToken(given: string): boolean {
    const [ours, theirs] = [Buffer.from(this.token), Buffer.from(given)];
    return ours.length === theirs.length && timingSafeEqual(ours, theirs);
  }

  /** Whether a request has the cookie that the printed address was turned into. */
  knows({ headers }: IncomingMessage, port: number): boolean {
    const pairs = (headers.cookie ?? "").split(/; */).map((pair) => pair.split("="));
    const [, given = ""] = pairs.find(([name]) => name === this.#cookieName(port)) ?? [];
    return this.isToken(given);
  }

  /** The cookie. It has the port in its name: cookies of one host are shared by all its ports. */
  cookie(port: number): string {
    return `${this.#cookieName(port)}=${this.token}; HttpOnly; SameSite=Strict; Path=/`;
  }

  #cookieName(port: number): string {
    return `live-${port}`;
  }
}
