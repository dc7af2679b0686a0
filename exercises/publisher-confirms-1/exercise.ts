import { exercise, Miss } from "exercise";

const pub = "src/pub.ts";

const mandatory = `
      // Without a queue for it the broker returns the message. Otherwise it would drop it and confirm that.
      mandatory: true,`;

export default exercise({
  from: "publisher-confirms",
  files: [pub],
  given: [{ file: pub, find: mandatory, replace: "" }],

  async check({ runWith, channel, amqpUrl, wireTo, until }) {
    const wire = await wireTo(amqpUrl);
    // The queue is deleted when the program has declared it, and before the first message is there.
    wire.holdWhen(({ method }) => method === "basic.publish");
    const program = runWith({ amqpUrl: wire.amqpUrl }, "pub", "individual", "--count", "3");
    await until(() => wire.held.length > 0 || program.ended !== undefined, "pub published nothing.", {
      within: 8_000,
    });
    await channel.deleteQueue("confirms");
    wire.release();
    await program.prints(
      /Published 3 messages individually/,
      "The queue was deleted while pub was running. It should declare the queue again, publish again what found no " +
        "queue, and end.",
      { within: 8_000 },
    );
    await program.ends("pub did not end.");

    const { messageCount } = await channel.assertQueue("confirms", {
      durable: true,
      arguments: { "x-queue-type": "quorum" },
    });
    if (messageCount < 3)
      throw new Miss(
        `The queue was deleted while pub was running. RabbitMQ confirmed the messages, pub printed that it had ` +
          `published 3, and ${3 - messageCount === 3 ? "all of them" : 3 - messageCount} are lost.`,
      );
  },

  says: /RabbitMQ confirmed the messages.*all of them are lost/,
  wrong: [
    {
      why: "a persistent message survives a restart, but without a queue there is no place for it",
      on: "given",
      edits: [{ file: pub, find: "type: name,", replace: "type: name,\n      persistent: true," }],
      says: /all of them are lost/,
    },
    {
      why: "a header is for consumers: the broker doesn't look at it",
      on: "given",
      edits: [
        { file: pub, find: "type: name,", replace: "type: name,\n      headers: { mandatory: true }," },
      ],
      says: /all of them are lost/,
    },
    {
      why: "what the broker returns has to be published again",
      on: "solution",
      edits: [{ file: pub, find: ` onRefusal: "retry",`, replace: "" }],
      says: /should declare the queue again.*RabbitMQ returned a message/,
    },
  ],
});
