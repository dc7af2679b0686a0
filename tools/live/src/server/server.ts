import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundlePage } from "../pages/bundle.ts";
import { folderOf } from "../pages/catalogue.ts";
import { renderLesson } from "../pages/lesson.ts";
import { codeCss, renderSources } from "../pages/source.ts";
import { Refused } from "../refused.ts";
import { contentPolicy, Guard } from "./guard.ts";
import type { Live } from "./live.ts";
import { readAction } from "./read-action.ts";

const web = fileURLToPath(new URL("../../web/", import.meta.url));

/** Bytes of an action, and ms within which a request must have arrived. */
const LONGEST = 256 * 1024;
const REQUEST_TIME = 5_000;
/** Bytes that may wait for a page that doesn't read. It is cut off then, and comes back by itself. */
const BEHIND = 16 * 1024 * 1024;
/** Pages that may listen at once. */
const MOST_PAGES = 32;

export interface ServeOptions {
  /** By default a free one. */
  port?: number | undefined;
  /** ms after the last page has gone, after which its programs are ended. */
  patience?: number | undefined;
  /** By default a new one. */
  token?: string | undefined;
}

/** The server of the page. */
export interface PageServer {
  port: number;
  /** With the token. `path` is a pattern, "" for the catalogue. */
  address(path?: string): string;
  close(): Promise<void>;
}

/**
 * Serves the page on 127.0.0.1.
 *
 * @throws When the port is in use, or the page can't be bundled.
 */
export async function serve(live: Live, options: ServeOptions = {}): Promise<PageServer> {
  const { port = 0, patience = 60_000, token } = options;
  const script = await bundlePage();
  const guard = new Guard(token);
  const pages = new Pages(live, patience);
  const server = createServer({
    requestTimeout: REQUEST_TIME,
    headersTimeout: REQUEST_TIME,
    connectionsCheckingInterval: 500,
  });
  server.maxHeadersCount = 100;
  server.on("request", (request, response) => {
    answer(request, new Answer(response), { live, guard, pages, script, port: portOf(server) }).catch(
      (error: Error) => {
        // A client that has gone while it was still asking gets no answer.
        if (request.destroyed && !request.complete) return;
        // What goes wrong here is a mistake of ours. The page needn't know more.
        console.error(error);
        if (!response.headersSent)
          new Answer(response).send(500, "text/plain", "It failed. The terminal says why.");
        else response.destroy();
      },
    );
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server),
    address: (path = "") => `http://127.0.0.1:${portOf(server)}/${path}?token=${guard.token}`,
    async close() {
      pages.close();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

interface Context {
  live: Live;
  guard: Guard;
  pages: Pages;
  script: string;
  port: number;
}

async function answer(request: IncomingMessage, response: Answer, context: Context): Promise<void> {
  const { live, guard, pages, script, port } = context;
  if (!guard.isFromHere(request, port))
    return response.send(403, "text/plain", "This is for its own page only.");
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const given = url.searchParams.get("token");
  if (request.method === "GET" && given !== null && guard.isToken(given))
    return response.send(303, "text/plain", "", {
      location: url.pathname.replace(/^\/+/, "/"),
      "set-cookie": guard.cookie(port),
    });
  if (!guard.knows(request, port))
    return response.send(401, "text/plain", "Open the address that `pnpm live` printed.");
  const [, first = "", second = ""] = url.pathname.split("/");
  if (request.method === "POST" && url.pathname === "/act") return act(request, response, live);
  if (request.method !== "GET") return response.send(405, "text/plain", "Only GET and POST /act.");
  if (first === "" || live.patterns.includes(first))
    return response.send(200, "text/html; charset=utf-8", readFileSync(join(web, "index.html"), "utf8"));
  if (first === "main.js") return response.send(200, "text/javascript; charset=utf-8", script);
  if (first === "style.css")
    return response.send(200, "text/css; charset=utf-8", readFileSync(join(web, "style.css"), "utf8"));
  if (first === "code.css") return response.send(200, "text/css; charset=utf-8", codeCss);
  if (first === "catalogue") return response.json(200, live.catalogue);
  if (first === "events") return pages.listen(request, response);
  if (live.patterns.includes(second)) {
    const folder = folderOf(live.root, second);
    if (first === "lesson")
      return response.send(
        200,
        "text/html; charset=utf-8",
        renderLesson(join(folder, "README.md"), live.patterns),
      );
    if (first === "source") return response.json(200, await renderSources(folder));
  }
  response.send(404, "text/plain", "There is no such page.");
}

async function act(request: IncomingMessage, response: Answer, live: Live): Promise<void> {
  if (request.headers["content-type"] !== "application/json")
    return response.send(415, "text/plain", "Expected application/json.");
  const body = await readBody(request);
  if (body === undefined) return response.send(413, "text/plain", "That is too long.");
  try {
    response.json(200, await live.act(readAction(JSON.parse(body))));
  } catch (error) {
    if (error instanceof Refused) return response.json(error.status, { error: error.message });
    if (error instanceof SyntaxError) return response.json(400, { error: "That is no JSON." });
    throw error;
  }
}

/** @returns `undefined` when it is too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LONGEST) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** An answer, with the headers that all have. */
class Answer {
  readonly response: ServerResponse;

  constructor(response: ServerResponse) {
    this.response = response;
  }

  send(status: number, type: string, body: string, headers: Record<string, string> = {}): void {
    this.begin(status, type, headers).end(body);
  }

  json(status: number, value: unknown): void {
    this.send(status, "application/json; charset=utf-8", JSON.stringify(value));
  }

  begin(status: number, type: string, headers: Record<string, string> = {}): ServerResponse {
    return this.response.writeHead(status, {
      "content-type": type,
      "content-security-policy": contentPolicy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
      "cross-origin-resource-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
      ...headers,
    });
  }
}

/** The pages that listen. When the last has been gone for a while, the programs are ended. */
class Pages {
  readonly #live: Live;
  readonly #patience: number;
  readonly #responses = new Set<ServerResponse>();
  #leaving: NodeJS.Timeout | undefined;

  constructor(live: Live, patience: number) {
    this.#live = live;
    this.#patience = patience;
  }

  listen(request: IncomingMessage, answer: Answer): void {
    if (this.#responses.size >= MOST_PAGES) {
      answer.send(503, "text/plain", "Too many pages are open.");
      return;
    }
    const response = answer.begin(200, "text/event-stream");
    response.flushHeaders();
    const after = Number(request.headers["last-event-id"]);
    const leave = this.#live.log.follow(
      Number.isSafeInteger(after) && after > 0 ? after : 0,
      ({ id, json }) => {
        response.write(`id: ${id}\ndata: ${json}\n\n`);
        if (response.writableLength > BEHIND) response.destroy();
      },
    );
    this.#responses.add(response);
    clearTimeout(this.#leaving);
    response.on("close", () => {
      leave();
      this.#responses.delete(response);
      if (this.#responses.size === 0)
        this.#leaving = setTimeout(() => void this.#live.stop(), this.#patience).unref();
    });
  }

  close(): void {
    for (const response of this.#responses) response.destroy();
    clearTimeout(this.#leaving);
  }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
