import { exercise } from "exercise";

const sub = "src/sub.ts";
const declaration = "await channel.assertQueue(queue, { autoDelete: true });";

export default exercise({
  from: "pubsub-fanout",
  files: [sub],
  given: [
    {
      file: sub,
      find: `  // A queue of our own. The broker names it, and deletes it when we disconnect. If two subscribers used the same queue,
  // each would get half of the messages.
  const { queue } = await channel.assertQueue("", { exclusive: true });`,
      replace: `  const queue = "log_readers";
  ${declaration}`,
    },
  ],

  async check({ run, channel, until }) {
    const subscribers = [run("sub"), run("sub")];
    for (const subscriber of subscribers) await subscriber.ready();
    const messages = ["One", "Two", "Three", "Four"];
    for (const message of messages) channel.publish("logs", "", Buffer.from(message));
    await channel.waitForConfirms();
    for (const message of messages)
      for (const subscriber of subscribers)
        await subscriber.prints(
          ` [x] ${message}`,
          `Two subscribers ran when four messages were published, and one of them did not get the message ${message}.`,
        );

    for (const subscriber of subscribers) {
      subscriber.terminate();
      await subscriber.ends("A subscriber did not end on SIGTERM.");
    }
    // The broker returns a mandatory message when no queue is bound.
    let returned = false;
    channel.on("return", () => {
      returned = true;
    });
    await until(async () => {
      channel.publish("logs", "", Buffer.from("Five"), { mandatory: true });
      // RabbitMQ 4 may refuse (nack) a message while it deletes the queue that the message is routed to.
      await channel.waitForConfirms().catch(() => {});
      return returned;
    }, "Both subscribers have ended, and a queue of theirs is still bound to the exchange. It fills with messages that no program takes.");
  },

  says: /one of them did not get the message One/,
  wrong: [
    {
      why: "a queue that is exclusive and has a name belongs to the first subscriber alone",
      on: "given",
      edits: [{ file: sub, find: "autoDelete: true", replace: "exclusive: true" }],
      says: /sub did not get ready.*log_readers/,
    },
    {
      why: "a queue with a name of its own stays when its subscriber has gone",
      on: "given",
      edits: [
        { file: sub, find: '"log_readers"', replace: "`log_readers_${process.pid}`" },
        { file: sub, find: declaration, replace: "await channel.assertQueue(queue);" },
      ],
      says: /a queue of theirs is still bound/,
    },
    {
      why: "a message that is not acknowledged isn't there for the other consumer either",
      on: "given",
      edits: [{ file: sub, find: "print, { noAck: true }", replace: "print, { noAck: false }" }],
      says: /one of them did not get the message One/,
    },
  ],
});
