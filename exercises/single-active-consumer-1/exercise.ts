import { exercise, Miss } from "exercise";

const topology = "src/topology.ts";
const worker = "src/worker.ts";

const argument = `"x-single-active-consumer": true`;

export default exercise({
  from: "single-active-consumer",
  files: [topology],
  given: [
    { file: topology, find: `, ${argument} }`, replace: " }" },
    {
      file: topology,
      find: "/** Declares the queue. Of all its consumers only one is active, and the broker chooses which. */",
      replace: "/** Declares the queue. */",
    },
  ],

  async check({ run, channel }) {
    const first = run("worker", "--takes", "60000");
    await first.ready();
    const second = run("worker");
    await second.ready();
    const events = ["open", "deposit 100", "withdraw 30"];
    for (const event of events) channel.sendToQueue("account_events", Buffer.from(event));
    await channel.waitForConfirms();
    await first.prints(" [x] Doing open", "The first worker did not begin with the first event.");
    first.kill();

    await second.prints(
      /^ \[x\] Doing /,
      "The worker that was doing the event open was killed with kill -9, and no other worker went on.",
    );
    const [, begun = ""] = second.lines;
    if (!begun.includes("open"))
      throw new Miss(
        `While the first worker was doing the event open, the second one did the event ${begun.slice(11)}. The order ` +
          "is lost.",
      );
    for (const event of events)
      await second.prints(` [x] Done ${event}`, `The second worker did not do the event ${event}.`);
    const order = second.lines.filter((line) => line.startsWith(" [x] Done ")).map((line) => line.slice(10));
    if (order.join() !== events.join())
      throw new Miss(`The events were done in this order: ${order.join(", ")}.`);
  },

  says: /While the first worker was doing the event open, the second one did the event deposit 100/,
  wrong: [
    {
      why: "amqplib has no option for it: it is an argument of the queue",
      on: "given",
      edits: [
        {
          file: topology,
          find: "{ durable: true, arguments: args }",
          replace: "{ durable: true, singleActiveConsumer: true, arguments: args } as object",
        },
      ],
      says: /the second one did the event deposit 100/,
    },
    {
      why: "a quorum queue takes another consumer beside an exclusive one",
      on: "given",
      edits: [
        {
          file: worker,
          find: "channel.consume(queue, work)",
          replace: "channel.consume(queue, work, { exclusive: true })",
        },
      ],
      says: /the second one did the event deposit 100/,
    },
    {
      why: "a worker that has not subscribed doesn't hear that it is its turn",
      on: "given",
      edits: [
        {
          file: worker,
          find: "await channel.consume(queue, work);",
          replace: `const { consumerCount } = await channel.checkQueue(queue);
    if (consumerCount === 0) await channel.consume(queue, work);`,
        },
      ],
      says: /was killed with kill -9, and no other worker went on/,
    },
  ],
});
