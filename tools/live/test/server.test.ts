import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import amqp from "amqplib";
import { type Broker, startBroker } from "broker";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Action, Sent } from "../src/protocol.ts";
import { Live } from "../src/server/live.ts";
import { type PageServer, serve } from "../src/server/server.ts";
import type { Session } from "../src/session/session.ts";

const root = join(import.meta.dirname, "../../..");
/** ms after the last page has gone */
const PATIENCE = 1_500;

let broker: Broker;
let live: Live;
let server: PageServer;
let origin: string;
let cookie: string;

beforeAll(async () => {
  broker = await startBroker();
  live = new Live(root, broker);
  server = await serve(live, { patience: PATIENCE });
  origin = `http://127.0.0.1:${server.port}`;
  const entered = await ask("/", { path: new URL(server.address()).search });
  cookie = String(entered.headers["set-cookie"]).split(";")[0] ?? "";
});

afterAll(async () => {
  await server.close();
  await live.close();
  await broker.stop();
});

interface Asked {
  method?: string;
  /** Instead of the first parameter. */
  path?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** A request with exactly these headers, as fetch wouldn't send it. */
async function ask(path: string, { method = "GET", headers = {}, body, ...more }: Asked = {}) {
  const asking = request(origin + (more.path ?? path), { method, headers });
  asking.end(body);
  const [response] = await once(asking, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() };
}

const asPage = (path: string, { headers, ...asked }: Asked = {}) =>
  ask(path, { ...asked, headers: { cookie, ...headers } });

function act(action: Action | unknown, headers: Record<string, string> = {}) {
  return asPage("/act", {
    method: "POST",
    headers: { origin, "content-type": "application/json", ...headers },
    body: typeof action === "string" ? action : JSON.stringify(action),
  });
}

/** Listens as a page does. */
async function follow(after?: number) {
  const headers = { cookie, ...(after === undefined ? {} : { "last-event-id": String(after) }) };
  const asking = request(`${origin}/events`, { headers });
  asking.end();
  const [response] = await once(asking, "response");
  const events: (Sent & { id: number })[] = [];
  let text = "";
  response.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (text + chunk).split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const [, id, data = ""] = /^id: (\d+)\ndata: (.*)$/s.exec(part) ?? [];
      events.push({ ...JSON.parse(data), id: Number(id) });
    }
  });
  const leave = () => {
    asking.destroy();
  };
  asking.on("error", () => {});
  response.on("error", () => {});
  onTestFinished(leave);
  return { events, leave };
}

describe("who may ask", () => {
  test("the printed address is turned into a cookie that no script can read and no other site sends", async () => {
    const { status, headers } = await ask("/", {
      path: new URL(server.address("topics")).pathname + new URL(server.address()).search,
    });
    expect(status).toBe(303);
    expect(headers.location).toBe("/topics");
    expect(String(headers["set-cookie"])).toMatch(/^live-\d+=[\w-]{32}; HttpOnly; SameSite=Strict; Path=\/$/);
  });

  test("the token leads nowhere else", async () => {
    const { headers } = await ask("/", { path: `//evil.example/${new URL(server.address()).search}` });
    expect(headers.location ?? "").not.toMatch(/^\/\/|evil\.example:/);
  });

  test.each([
    ["without the token", {}],
    ["with another one", { cookie: `live-0=x; live=${"A".repeat(32)}` }],
  ])("nothing is answered %s", async (_, headers) => {
    for (const path of ["/", "/topics", "/main.js", "/catalogue", "/events", "/lesson/topics"])
      expect((await ask(path, { headers })).status).toBe(401);
    expect((await ask("/", { path: "/?token=wrong" })).status).toBe(401);
  });

  test.each([
    ["another host's name (DNS rebinding)", { host: "evil.example" }],
    ["another port of this host", { host: "127.0.0.1:1" }],
    ["another origin", { origin: "http://evil.example" }],
    ["an opaque origin", { origin: "null" }],
    ["another site", { "sec-fetch-site": "cross-site" }],
    ["another port's page", { "sec-fetch-site": "same-site" }],
  ])("nothing is answered to %s", async (_, headers) => {
    expect((await asPage("/catalogue", { headers: headers as Record<string, string> })).status).toBe(403);
    expect((await act({ do: "stop" }, headers as Record<string, string>)).status).toBe(403);
  });

  test("an action without an origin is refused", async () => {
    const headers = { "content-type": "application/json" };
    expect((await asPage("/act", { method: "POST", headers, body: "{}" })).status).toBe(403);
  });

  test("what a form could send is refused", async () => {
    expect((await act("{}", { "content-type": "text/plain" })).status).toBe(415);
    expect((await asPage("/act", { method: "PUT", headers: { origin } })).status).toBe(405);
  });

  test("the page may load nothing from elsewhere, and run nothing that is inline", async () => {
    for (const path of ["/", "/lesson/topics", "/nowhere"]) {
      const { headers } = await asPage(path);
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain("unsafe");
      expect(headers["x-content-type-options"]).toBe("nosniff");
    }
    const { text } = await asPage("/");
    expect(text).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/);
  });

  test("it listens on this machine only", async () => {
    const others = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ internal, family }) => !internal && family === "IPv4");
    for (const { address } of others) {
      const socket = connect(server.port, address);
      await expect(once(socket, "connect")).rejects.toThrow("ECONNREFUSED");
    }
  });
});

describe("what may be asked", () => {
  test.each([
    ["no JSON", "{", 400],
    ["no object", "[]", 400],
    ["an unknown action", { do: "eval" }, 400],
    ["an action of Object's", { do: "__proto__" }, 400],
    ["a field of another type", { do: "open", pattern: 1 }, 400],
    ["two lines at once", { do: "type", terminal: "t1", text: "one\ntwo" }, 400],
    ["a word with a NUL", { do: "run", script: "pub", words: ["a\0b"] }, 400],
    ["a pattern that is a path", { do: "open", pattern: "../../etc" }, 404],
    ["a pattern of Object's", { do: "open", pattern: "constructor" }, 404],
    ["a key that isn't one", { do: "press", terminal: "t1", key: "^Z" }, 400],
  ])("%s is refused with a sentence", async (_, action, status) => {
    const answer = await act(action);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error).toMatch(/^[A-Z].*\.$/);
  });

  test("nothing outside of the patterns is served", async () => {
    for (const path of [
      "/lesson/..%2f..",
      "/lesson/../../package.json",
      "/source/__proto__",
      "/style.css/../package.json",
      "/%2e%2e/package.json",
    ])
      expect((await asPage(path)).status).toBe(404);
  });

  test("a body that is too long is refused", async () => {
    expect((await act(JSON.stringify({ do: "open", pattern: "x".repeat(300_000) }))).status).toBe(413);
  });

  test("a request whose body doesn't come is ended", async () => {
    const socket = connect(server.port, "127.0.0.1");
    socket.write(
      `POST /act HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nOrigin: ${origin}\r\nCookie: ${cookie}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    );
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1.1 408 /);
  });

  test("a request with very many headers is refused", async () => {
    const headers = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, index) => [`x-${index}`, "x".repeat(20)]),
    );
    expect((await asPage("/catalogue", { headers })).status).toBe(431);
  });
});

describe("with a pattern open", () => {
  beforeAll(async () => {
    expect((await act({ do: "open", pattern: "topics", anew: true })).status).toBe(200);
  });

  test("scripts are run by their names only, and no shell sees their words", async () => {
    for (const script of ["../../evil", "__proto__", "constructor", "test", "pub; id", ""])
      expect((await act({ do: "run", script, words: [] })).status).toBe(404);
    const { events } = await follow();
    const hostile = "Hard; rm -rf $HOME `id` $(id) && echo \"'";
    const { text } = await act({ do: "run", script: "pub", words: ["kern.critical", hostile] });
    const { terminal } = JSON.parse(text);
    await expect
      .poll(() => events.find(({ type }) => type === "ended"))
      .toMatchObject({ terminal, ok: true });
    expect(events).toContainEqual(
      expect.objectContaining({ type: "line", text: ` [x] Sent kern.critical: '${hostile}'` }),
    );
    const published = events.find((event) => event.type === "published");
    expect(published).toMatchObject({ message: { key: "kern.critical", body: hostile }, by: terminal });
  });

  test("a hostile message arrives as visible text, short, whatever it holds", async () => {
    const { events } = await follow();
    const hostile = "<img src=x onerror=alert(1)>\x1b[2J\x1b]0;title\x07\u202etext\u2066\x00\r\n</script>";
    const message = {
      do: "publish",
      exchange: "",
      key: hostile,
      headers: { [hostile]: hostile },
      properties: {},
      body: hostile,
      mandatory: false,
    };
    expect((await act(message)).status).toBe(200);
    const find = () => events.find((event) => event.type === "published" && event.by === "you");
    await expect.poll(find).toBeDefined();
    const visible =
      "<img src=x onerror=alert(1)>\\x1b[2J\\x1b]0;title\\x07\\u202etext\\u2066\\x00\\r\\n</script>";
    expect(find()).toMatchObject({
      message: { body: visible, key: visible, size: Buffer.byteLength(hostile) },
    });
    for (const event of events) expect(JSON.stringify(event)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  test("of a body of 16 MiB and of very many headers the page gets the beginning", async () => {
    const { events } = await follow();
    const { amqpUrl } = (live.session as Session).world.virtualHost;
    const connection = await amqp.connect(amqpUrl);
    const channel = await connection.createConfirmChannel();
    channel.publish("topic_logs", "big", Buffer.alloc(16 * 1024 * 1024, "x"), {});
    // A frame of 128 KiB has room for some thousands.
    const headers = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`h${index}`, index]));
    channel.publish("topic_logs", "many", Buffer.from("x"), { headers });
    await channel.waitForConfirms();
    await connection.close();
    const found = (key: string) =>
      events.find((event) => event.type === "published" && event.message.key === key);
    await expect.poll(() => found("many")).toBeDefined();
    expect(found("big")).toMatchObject({ message: { size: 16 * 1024 * 1024 }, by: "outside" });
    for (const event of events) expect(JSON.stringify(event).length).toBeLessThan(10_000);
  });

  test("only so many programs run at once", async () => {
    await follow();
    const answers = [];
    for (let index = 0; index < 17; index++)
      answers.push(await act({ do: "run", script: "sub", words: ["#"] }));
    expect(answers.slice(0, 16).every(({ status }) => status === 200)).toBe(true);
    expect(answers[16]).toMatchObject({
      status: 409,
      text: expect.stringContaining("16 programs run already"),
    });
    expect((await act({ do: "stop" })).status).toBe(200);
  });

  test("the programs end when the last page has gone for a while", async () => {
    const first = await follow();
    const second = await follow();
    const { text } = await act({ do: "run", script: "sub", words: ["#"] });
    const { terminal } = JSON.parse(text);
    const ended = ({ events }: typeof first) =>
      events.some((event) => event.type === "ended" && event.terminal === terminal);
    first.leave();
    await setTimeout(2 * PATIENCE);
    expect(ended(second)).toBe(false);
    second.leave();
    const third = await follow();
    // It has come back in time.
    await setTimeout(2 * PATIENCE);
    expect(ended(third)).toBe(false);
    third.leave();
    await setTimeout(2 * PATIENCE);
    const fourth = await follow();
    await expect.poll(() => ended(fourth)).toBe(true);
  });

  test("a page that comes back gets what it has missed, and a new one everything", async () => {
    const all = await follow();
    await expect.poll(() => all.events.length).toBeGreaterThan(3);
    const last = all.events.at(-3)?.id ?? 0;
    const back = await follow(last);
    const fromElsewhere = await follow(1_000_000);
    const ids = (events: { id: number }[], after = 0) =>
      events
        .map(({ id }) => id)
        .filter((id) => id > after)
        .join();
    await expect.poll(() => ids(back.events) === ids(all.events, last)).toBe(true);
    await expect.poll(() => ids(fromElsewhere.events) === ids(all.events)).toBe(true);
    expect(all.events[0]).toMatchObject({ type: "pattern", name: "topics" });
  });
});
