import { exercise, Miss } from "exercise";

const messaging = "src/messaging.ts";

const accepts = `const settle = handle(async (delivery) => {
          if (await accept(delivery.content)) channel.ack(delivery);
          else channel.reject(delivery, false);
        });`;

const opens = `    this.#consumer = openConsumer(
      async (channel) => {`;

/** Has the consumer remember something of each delivery that it has handled, and pass over what it remembers. */
const remembers = (type: string, what: string) => [
  {
    file: messaging,
    find: opens,
    replace: `    // The messages that were handled last, which may come again.
    const handled = new Set<${type}>();
${opens}`,
  },
  {
    file: messaging,
    find: accepts,
    replace: `const settle = handle(async (delivery) => {
          const key = ${what};
          // It was handled before, and the broker has not heard of it.
          if (handled.has(key)) return channel.ack(delivery);
          const accepted = await accept(delivery.content);
          if (key !== undefined) handled.add(key);
          for (const oldest of handled) if (handled.size > 1_000) handled.delete(oldest);
          if (accepted) channel.ack(delivery);
          else channel.reject(delivery, false);
        });`,
  },
];

export default exercise({
  from: "odd-even",
  files: [messaging],
  given: [],
  solution: remembers("string", "delivery.properties.messageId"),

  async check({ run, runWith, channel, amqpUrl, wireTo, until }) {
    const producer = run("producer", "1", "--interval", "0");
    await producer.ends("The producer did not end.");
    // A consumer that dies before it has done anything: the next one gets the message marked as redelivered.
    await until(async () => {
      const unhandled = await channel.get("odds");
      if (unhandled) channel.reject(unhandled, true);
      return unhandled !== false;
    }, "The producer published nothing.");

    const wire = await wireTo(amqpUrl);
    let acknowledged = 0;
    wire.on("said", ({ method, fields }) => {
      if (method === "basic.ack") acknowledged = Number(fields.deliveryTag);
    });
    const consumer = runWith({ amqpUrl: wire.amqpUrl }, "consumer", "odd");
    await consumer.ready();
    const publish = async (integer: number, messageId: string) => {
      channel.publish("integers", "odd", Buffer.from(String(integer)), { messageId });
      await channel.waitForConfirms();
    };
    await publish(3, "a/1");
    await consumer.prints("odd integer: 3", "The consumer did not get the integer 3.");
    if (!consumer.lines.includes("odd integer: 1"))
      throw new Miss(
        "Another consumer got the integer 1 and died before it had printed it. This one got it again, and did not print " +
          "it either: it is lost.",
      );

    await until(() => acknowledged === 2, "The consumer printed the integer 3, and did not acknowledge it.");
    // The consumer has handled 47, and its acknowledgement doesn't arrive.
    wire.holdWhen(({ method }) => method === "basic.ack");
    await publish(47, "a/2");
    await consumer.prints("odd integer: 47", "The consumer did not get the integer 47.");
    await until(
      () => wire.held.length > 0,
      "The consumer printed the integer 47, and did not acknowledge it.",
    );
    await wire.unplug();
    wire.release();
    await wire.plugIn();
    await publish(47, "a/3");
    await publish(5, "a/4");
    await consumer.prints(
      "odd integer: 5",
      "The consumer did not print the integer 5, which was published after its connection was lost and had come back.",
      {
        within: 6_000,
      },
    );
    const printed = consumer.lines.filter((line) => line === "odd integer: 47").length;
    if (printed > 2)
      throw new Miss(
        "The consumer lost its connection after it had printed 47 and before the broker had its acknowledgement. The " +
          "broker delivered that message again, and the consumer printed it again.",
      );
    if (printed < 2)
      throw new Miss(
        "Two messages say 47. The consumer printed it once: it took the second message for the first one.",
      );
  },

  says: /broker delivered that message again, and the consumer printed it again/,
  wrong: [
    {
      why: "redelivered means that somebody got it, and not that somebody has handled it",
      on: "given",
      edits: [
        {
          file: messaging,
          find: "if (await accept(delivery.content)) channel.ack(delivery);",
          replace:
            "if (delivery.fields.redelivered || (await accept(delivery.content))) channel.ack(delivery);",
        },
      ],
      says: /did not print it either: it is lost/,
    },
    {
      why: "two messages may say the same",
      on: "given",
      edits: remembers("string", "delivery.content.toString()"),
      says: /took the second message for the first one/,
    },
    {
      why: "delivery tags begin again with 1 on each channel",
      on: "given",
      edits: remembers("number", "delivery.fields.deliveryTag"),
      says: /did not print the integer 5, which was published after/,
    },
  ],
});
