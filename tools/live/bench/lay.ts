import { startBroker } from "broker";
import { Feed } from "../src/feed/feed.ts";
import { Rush } from "../src/feed/rush.ts";
import { TerminalWires, type WireListener } from "../src/session/wires.ts";
import { report, told } from "./report.ts";

// Lays the page's wire to the broker at AMQP_URL, and with the argument "feed" has the page's feed follow what passes.
// `pnpm bench live` compares programs that go through it with programs that don't.
const amqpUrl = process.env.AMQP_URL ?? "amqp://localhost";
const nothing: WireListener = { connected() {}, disconnected() {}, passed() {}, foreign() {}, held() {} };

async function withFeed(): Promise<[WireListener, Feed, Rush]> {
  const { management } = await startBroker({ say() {} });
  const vhost = decodeURIComponent(new URL(amqpUrl).pathname.slice(1)) || "/";
  const rush: Rush = new Rush(
    () => {},
    () => feed.contents(),
  );
  const feed: Feed = new Feed({ management, vhost, amqpUrl }, (happening) => rush.hear(happening));
  await feed.open();
  feed.onBehind = (isBehind) => wires.slow(isBehind);
  const listener: WireListener = {
    ...nothing,
    connected: (terminal, connection, name) => feed.connected(terminal, connection, name),
    disconnected: (connection) => feed.disconnected(connection),
    passed: (connection, passing) => feed.passed(connection, passing),
  };
  return [listener, feed, rush];
}

const [listener, feed, rush] = process.argv[2] === "feed" ? await withFeed() : [nothing];
const wires = new TerminalWires(({ id }) => `program ${id}`, listener);
report("ready", { amqpUrl: await wires.lay(amqpUrl) });
await told();
await wires.close();
rush?.end();
await feed?.close();
report("done");
process.exit();
