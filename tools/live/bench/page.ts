import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startBroker } from "broker";
import { launch } from "../browser/launch.ts";
import type { LiveEvent } from "../src/protocol.ts";
import { Live } from "../src/server/live.ts";
import { serve } from "../src/server/server.ts";
import { report, told } from "./report.ts";

// Measures the times between the frames of the page in Chromium, while a program publishes and consumes so many messages
// a second. Without arguments it only says which browser there is.
const [rate, seconds] = process.argv.slice(2).map(Number);

const browser = await launch(() => {}).catch((error: Error) => {
  report("done", { missing: error.message });
  process.exit();
});
if (rate === undefined || seconds === undefined) {
  report("done", { version: browser.version() });
  await browser.close();
  process.exit();
}

const broker = await startBroker({ say() {} });
const live = new Live(fileURLToPath(new URL("../../..", import.meta.url)), broker);
const server = await serve(live);
await live.act({ do: "open", pattern: "hello" });
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(server.address("hello"));
await page.locator(".controls:not([disabled])").waitFor();
report("ready");
await told();

const client = spawn(
  process.execPath,
  ["--import", "tsx", fileURLToPath(new URL("client.ts", import.meta.url)), String(rate)],
  { env: { ...process.env, AMQP_URL: invitation() }, stdio: ["pipe", "pipe", "inherit"] },
);
let printed = "";
client.stdout.setEncoding("utf8").on("data", (text: string) => {
  printed += text;
});
// The first message has come, as a card or in a rate.
await page.locator(".card, .rate:not(:empty)").first().waitFor();
const frames: number[] = await page.evaluate(timesBetweenFrames(seconds * 1000));
client.stdin.end();
await once(client, "close");
frames.sort((a, b) => a - b);
const at = (share: number) => frames[Math.min(frames.length - 1, Math.floor(share * frames.length))] ?? 0;
report("done", {
  messages: Number(printed),
  frames: frames.length / seconds,
  median: at(0.5),
  most: at(0.99),
  longest: at(1),
});
await browser.close();
await server.close();
await live.close();
await broker.stop();
process.exit();

/** Where programs may connect so that the page shows what they do. */
function invitation(): string {
  let amqpUrl = "";
  live.log.follow(0, ({ json }) => {
    const event: LiveEvent = JSON.parse(json);
    if (event.type === "invitation") amqpUrl = event.amqpUrl;
  })();
  return amqpUrl;
}

/** What runs in the page: resolves to the ms between each frame and the next. */
function timesBetweenFrames(ms: number): string {
  return `new Promise((resolve) => {
    const times = [];
    const began = performance.now();
    let last;
    const onFrame = (now) => {
      if (last !== undefined) times.push(now - last);
      last = now;
      if (now - began < ${ms}) requestAnimationFrame(onFrame);
      else resolve(times);
    };
    requestAnimationFrame(onFrame);
  })`;
}
