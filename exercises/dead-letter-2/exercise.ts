import { exercise, Miss } from "exercise";

const topology = "src/topology.ts";

const wait = {
  file: topology,
  find: `      // The morgue keeps a letter until the other queue has confirmed it. That needs reject-publish.`,
  replace: `      // Whatever was wrong, try it again in a moment.
      "x-message-ttl": 200,
      // The morgue keeps a letter until the other queue has confirmed it. That needs reject-publish.`,
};

const wayBack = `
      // The morgue's own dead letters go back to the orders. So to reject a letter is to send it back.
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": queue,
      // The morgue keeps a letter until the other queue has confirmed it. That needs reject-publish.
      "x-dead-letter-strategy": "at-least-once",`;

const vase = " [x] Rejected: A glass vase";

export default exercise({
  from: "dead-letter",
  files: [topology],
  given: [wait],

  async check({ run, channel, broker, virtualHost, until }) {
    const worker = run("worker", "--fail-on", "glass");
    await worker.ready();
    channel.sendToQueue("orders", Buffer.from("A glass vase"));
    await worker.prints(vase, "The worker did not get the order A glass vase.");

    const rejections = () => worker.lines.filter((line) => line === vase).length;
    const { arguments: args } = await broker.management<{ arguments: Record<string, unknown> }>(
      "GET",
      `/queues/${encodeURIComponent(virtualHost.name)}/morgue`,
    );
    const ttl = args["x-message-ttl"];
    await until(
      async () => {
        if (rejections() > 1)
          throw new Miss(
            "The worker rejected the order A glass vase, and a moment later it got the order again: from orders to " +
              "the morgue, back to orders, and so on, for ever. It never stays in the morgue.",
          );
        return ttl === undefined && (await channel.checkQueue("morgue")).messageCount === 1;
      },
      ttl === undefined
        ? "The worker rejected the order A glass vase, but the order did not come into the morgue."
        : args["x-dead-letter-exchange"] === undefined
          ? `A letter expires in the morgue after ${ttl} ms, and from there it goes nowhere: it is lost.`
          : `A letter still expires in the morgue, after ${ttl} ms, and goes back to the worker that can't handle it. ` +
            "The circle is only slower.",
    );

    worker.press("^C");
    await worker.ends("The worker did not end on Ctrl-C.");
    const replay = run("morgue", "--replay");
    await replay.prints(" [x] Sent back A glass vase", "morgue --replay did not send the order back.");
    await replay.ends("morgue --replay did not end.");
    const next = run("worker");
    await next.ready();
    await next.prints(
      " [x] Done: A glass vase",
      "morgue --replay rejected the letter A glass vase, but the order is not back in orders: the morgue leads " +
        "nowhere any more, and the order is lost.",
      // At-least-once: RabbitMQ 3.10 takes a second or two for it.
      { within: 6_000 },
    );
  },

  says: /rejected the order A glass vase, and a moment later it got the order again/,
  wrong: [
    {
      why: "a longer wait makes the circle slower",
      on: "given",
      edits: [{ file: topology, find: `"x-message-ttl": 200,`, replace: `"x-message-ttl": 60_000,` }],
      says: /after 60000 ms.*The circle is only slower/,
    },
    {
      why: "what expires in a queue without a dead letter exchange is dropped",
      on: "given",
      edits: [
        {
          file: topology,
          find: `
      // The morgue's own dead letters go back to the orders. So to reject a letter is to send it back.
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": queue,`,
          replace: "",
        },
        {
          file: topology,
          find: `
      // The morgue keeps a letter until the other queue has confirmed it. That needs reject-publish.
      "x-dead-letter-strategy": "at-least-once",`,
          replace: "",
        },
      ],
      says: /after 200 ms, and from there it goes nowhere: it is lost/,
    },
    {
      why: "the way back is needed to send letters back by hand",
      on: "solution",
      edits: [{ file: topology, find: wayBack, replace: "" }],
      says: /morgue leads nowhere any more, and the order is lost/,
    },
  ],
});
