import { fileURLToPath } from "node:url";
import amqp, { type Channel, type ConsumeMessage } from "amqplib";
import type { VirtualHost } from "broker";
import { openConsumer, produce } from "shared";
import { openProgram, readersEnvironment, type Terminal } from "stage";
import { type Benchmark, type Options, type Session, withSession } from "./benchmark.ts";
import { environment, inWords } from "./machine.ts";
import { whole } from "./progress.ts";
import { type Comparison, compare, median, type Way } from "./rounds.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const body = Buffer.alloc(100, "x");

export const helper: Benchmark = {
  name: "helper",
  summary: "shared against bare amqplib, an rpc against the official server, the start of a script",
  // It prints its figures and keeps none.
  run: async (options) =>
    options.plotOnly
      ? "helper keeps no results to draw."
      : withSession((session) => measureHelper(session, options)),
};

/**
 * What the shared helper costs, and what it gains: publishing and consuming against bare amqplib tuned alike, an rpc
 * round trip against a server in the shape of the official tutorial's, the start of a script against an empty one.
 */
async function measureHelper(session: Session, { quick, rounds = quick ? 2 : 11 }: Options): Promise<string> {
  const { broker, makeVirtualHost, progress, signal } = session;
  const messages = quick ? 2_000 : 20_000;
  const programs: Terminal[] = [];

  async function measure(what: string, ours: Way, theirs: Way): Promise<Comparison> {
    progress.start(what, rounds);
    return compare(ours, theirs, rounds, (done) => {
      signal.throwIfAborted();
      progress.update(done);
    });
  }

  try {
    const virtualHost = await makeVirtualHost();
    process.env.AMQP_URL = virtualHost.amqpUrl;
    const publish = await measure(
      "Publishing",
      () => rate(messages, () => publishWithHelper(messages)),
      () => rate(messages, () => publishBare(virtualHost.amqpUrl, messages)),
    );
    const consume = await measure(
      "Consuming",
      () => consumeWithHelper(virtualHost.amqpUrl, messages),
      () => consumeBare(virtualHost.amqpUrl, messages),
    );

    const [ours, official] = [await makeVirtualHost(), await makeVirtualHost()];
    programs.push(
      runServer("examples/rpc/src/server.ts", ours),
      runServer("tools/bench/src/official-rpc-server.ts", official),
    );
    for (const server of programs) await server.printed(/Awaiting RPC requests/);
    const rpc = await measure(
      "Calling",
      () => roundTrip(ours.amqpUrl, quick ? 50 : 500),
      () => roundTrip(official.amqpUrl, quick ? 3 : 25),
    );

    const start = await measure(
      "Starting",
      () => runTime(["--import", "tsx", "src/send.ts"], virtualHost),
      () => runTime(["--eval", ""], virtualHost),
    );
    progress.stop();

    console.log(`
${inWords(environment(broker.version))}
Medians of ${rounds} rounds, taken in turns. In brackets the least and the greatest ratio.
`);
    for (const [what, against, { ours, theirs, ratio }] of [
      [`produce: ${whole(messages)} messages of ${body.length} bytes, confirmed`, "bare amqplib", publish],
      [`consume: as many, prefetch 100, acknowledged one by one`, "bare amqplib", consume],
    ] as const)
      console.log(
        report(what, `${whole(ours)}/s`, against, `${whole(theirs)}/s`, `${times(ratio, 2)} as fast`),
      );
    // Theirs divided by ours reads better where theirs is slow.
    const { median, least, greatest } = rpc.ratio;
    const faster = { median: 1 / median, least: 1 / greatest, greatest: 1 / least };
    console.log(
      report(
        "rpc: a call of our server",
        `${rpc.ours.toFixed(2)} ms`,
        "the official server's shape",
        `${rpc.theirs.toFixed(2)} ms`,
        `${times(faster, 0)} as fast`,
      ),
    );
    console.log(
      report(
        "send: from its start to its end",
        `${whole(start.ours)} ms`,
        "an empty Node process",
        `${whole(start.theirs)} ms`,
        `${times(start.ratio, 1)} as long`,
      ),
    );
    return (
      `produce ${publish.ratio.median.toFixed(2)} and consume ${consume.ratio.median.toFixed(2)} of bare amqplib, ` +
      `rpc ${faster.median.toFixed(0)}× as fast as the official server's shape, a script's start ${whole(start.ours)} ms`
    );
  } finally {
    await Promise.all(programs.map((program) => program.close()));
  }
}

function runServer(script: string, { amqpUrl }: VirtualHost): Terminal {
  return openProgram(process.execPath, ["--import", "tsx", script], {
    cwd: root,
    env: readersEnvironment({ AMQP_URL: amqpUrl }),
  });
}

/** Messages a second, from the call to its end: connecting and closing included. */
async function rate(messages: number, work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (messages / (performance.now() - began)) * 1000;
}

const declare = (channel: Channel) => channel.assertQueue("bench", { durable: true });

/** Both sides start from an empty queue. Their messages are transient: the disk is not what is compared. */
async function fill(channel: Channel, messages: number): Promise<void> {
  await declare(channel);
  await channel.purgeQueue("bench");
  for (let n = 0; n < messages; n++) channel.sendToQueue("bench", body);
}

const publishWithHelper = (messages: number) => produce((channel) => fill(channel, messages));

async function publishBare(amqpUrl: string, messages: number): Promise<void> {
  const connection = await amqp.connect(amqpUrl, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  await fill(channel, messages);
  await channel.waitForConfirms();
  await channel.close();
  await connection.close();
}

/** Counts deliveries and acknowledges them. Resolves to messages a second, from the first to the last. */
function counter(messages: number) {
  let began = 0;
  let count = 0;
  let resolve: (rate: number) => void;
  const done = new Promise<number>((settle) => {
    resolve = settle;
  });
  const handle = (channel: Channel, delivery: ConsumeMessage) => {
    if (count++ === 0) began = performance.now();
    channel.ack(delivery);
    if (count === messages) resolve((messages / (performance.now() - began)) * 1000);
  };
  return { handle, done };
}

async function consumeWithHelper(amqpUrl: string, messages: number): Promise<number> {
  await publishBare(amqpUrl, messages);
  const { handle, done } = counter(messages);
  // What `consume` is made of, less the signals.
  const consumer = await openConsumer(async (channel) => {
    await channel.prefetch(100);
    await channel.consume("bench", (delivery) => handle(channel, delivery));
  });
  const rate = await done;
  await consumer.stop();
  await consumer.close();
  return rate;
}

async function consumeBare(amqpUrl: string, messages: number): Promise<number> {
  await publishBare(amqpUrl, messages);
  const { handle, done } = counter(messages);
  const connection = await amqp.connect(amqpUrl, { noDelay: true });
  const channel = await connection.createChannel();
  await channel.prefetch(100);
  await channel.consume("bench", (delivery) => {
    if (delivery) handle(channel, delivery);
  });
  const rate = await done;
  await channel.close();
  await connection.close();
  return rate;
}

/** The median time, in ms, of calls of fib(1), one after another, by a client that does not wait either. */
async function roundTrip(amqpUrl: string, calls: number): Promise<number> {
  const connection = await amqp.connect(amqpUrl, { noDelay: true });
  const channel = await connection.createChannel();
  const replyTo = "amq.rabbitmq.reply-to";
  let answered = () => {};
  await channel.consume(replyTo, () => answered(), { noAck: true });
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const began = performance.now();
    const answer = new Promise<void>((resolve) => {
      answered = resolve;
    });
    channel.sendToQueue("rpc_queue", Buffer.from("1"), { replyTo, correlationId: String(call) });
    await answer;
    times.push(performance.now() - began);
  }
  await channel.close();
  await connection.close();
  return median(times);
}

/** How long a Node process runs, in ms, from its start to its end. */
async function runTime(args: string[], { amqpUrl }: VirtualHost): Promise<number> {
  const began = performance.now();
  const program = openProgram(process.execPath, args, {
    cwd: `${root}/examples/hello`,
    env: readersEnvironment({ AMQP_URL: amqpUrl }),
  });
  const { code } = await program.exit;
  const time = performance.now() - began;
  if (code !== 0) throw new Error(`node ${args.join(" ")} failed:\n${program.lines.join("\n")}`);
  return time;
}

const times = ({ median, least, greatest }: Comparison["ratio"], digits: number) =>
  `${median.toFixed(digits)}× (${least.toFixed(digits)} to ${greatest.toFixed(digits)})`;

const report = (what: string, ours: string, against: string, theirs: string, ratio: string) =>
  `${what}\n  ${ours.padEnd(16)} ${against}: ${theirs.padEnd(16)} ${ratio}`;
