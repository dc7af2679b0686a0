import { exercise, Miss } from "exercise";

const send = "src/bare-send.ts";
const sent = " [x] Sent Hello World!";

export default exercise({
  from: "hello",
  files: [send],
  given: [
    {
      file: send,
      find: `await channel.waitForConfirms();
console.log("${sent}");
await connection.close();`,
      replace: `console.log("${sent}");
process.exit();`,
    },
  ],

  async check({ runWith, channel, amqpUrl, wireTo, until }) {
    // A slow network: the wire holds the message on its way to the broker.
    const wire = await wireTo(amqpUrl);
    wire.holdWhen(({ method }) => method === "basic.publish");
    let closed = false;
    wire.on("said", ({ method, direction }) => {
      closed ||= method === "connection.close" && direction === "to-broker";
    });
    const program = runWith({ amqpUrl: wire.amqpUrl }, "bare-send");
    await until(
      () => wire.held.length > 0 || program.ended !== undefined,
      "bare-send did not send its message.",
      { within: 8_000 },
    );
    if (wire.held.length === 0) {
      if (program.lines.includes(sent))
        throw new Miss(
          'bare-send printed "Sent" and ended. The message was still in a buffer of the program at that moment: it is lost, ' +
            "and the queue hello is empty.",
        );
      await program.ends("bare-send did not end.");
      throw new Miss("bare-send ended, and the broker has got no message from it.");
    }

    if (closed)
      throw new Miss(
        "bare-send closed its connection before its message was on its way. The broker takes nothing after that: the " +
          "message is lost, and the queue hello is empty.",
      );

    // A program that waits for the broker does nothing in this second, and one that waits for half a second goes wrong.
    const early = await program.until(
      () => program.lines.includes(sent) || program.ended !== undefined,
      1_000,
    );
    if (early && !program.lines.includes(sent)) await program.ends("bare-send did not end.");
    if (early)
      throw new Miss(
        "The network was slow, and the message was still on its way to the broker when bare-send " +
          `${program.lines.includes(sent) ? 'printed "Sent"' : "ended"}. If the connection had been lost then, the message ` +
          "would have been lost with it.",
      );
    wire.release();
    await program.prints(sent, 'The message has arrived, and bare-send did not print "Sent".');
    await program.ends("bare-send has sent its message, and did not end.");
    await until(
      async () => (await channel.checkQueue("hello")).messageCount === 1,
      "bare-send has ended, and its message is not in the queue hello.",
    );
  },

  says: /still in a buffer of the program/,
  wrong: [
    {
      why: "the connection is closed before what is in the buffer has been sent",
      on: "given",
      edits: [{ file: send, find: "process.exit();", replace: "await connection.close();" }],
      says: /closed its connection before its message was on its way/,
    },
    {
      why: "half a second is not enough for every network",
      on: "given",
      edits: [{ file: send, find: "process.exit();", replace: "setTimeout(() => process.exit(), 500);" }],
      says: /still on its way to the broker/,
    },
    {
      why: "without await, nothing waits for the confirm",
      on: "solution",
      edits: [
        { file: send, find: "await channel.waitForConfirms();", replace: "channel.waitForConfirms();" },
      ],
      says: /closed its connection before its message was on its way/,
    },
  ],
});
