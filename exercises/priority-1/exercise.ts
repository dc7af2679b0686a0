import { exercise, Miss } from "exercise";

const sub = "src/sub.ts";

const tickets = ["Water the plants", "The tap drips", "Sweep the yard"];
const fire = "Fire in the kitchen";

export default exercise({
  from: "priority",
  files: [sub],
  given: [
    {
      file: sub,
      find: `// Priority orders only what is still in the queue. Prefetched tickets would go ahead of a new fire.
  await channel.prefetch(1);`,
      replace: `// Ten at a time, so that the next ticket is here when one is done.
  await channel.prefetch(10);`,
    },
  ],

  async check({ runWith, channel, amqpUrl, wireTo, until }) {
    const send = async (priority: number, ticket: string) => {
      channel.sendToQueue("tickets", Buffer.from(ticket), { priority });
      await channel.waitForConfirms();
    };
    const wire = await wireTo(amqpUrl);
    const program = runWith({ amqpUrl: wire.amqpUrl }, "sub");
    await program.ready();
    // Until its acknowledgement of the first ticket has arrived, the worker is busy with it.
    wire.holdWhen(({ method }) => method === "basic.ack");
    for (const ticket of tickets) await send(0, ticket);
    await program.prints(/Water the plants/, "The worker did not get the first ticket.");
    await send(5, fire);
    wire.release();

    const order = () => program.lines.slice(1);
    await program.prints(/Fire in the kitchen/, "The worker did not get the ticket that says fire.");
    const before = order().findIndex((line) => line.includes(fire));
    if (before > 1)
      throw new Miss(
        `While the worker was busy with "${tickets[0]}", the fire broke out. It came as number ${before + 1}: the ` +
          `worker had taken ${before - 1 === 1 ? "another ticket" : `${before - 1} more tickets`} out of the queue before.`,
      );
    await program.prints(/Sweep the yard/, "The worker did not get the tickets that came after the fire.");
    await until(
      async () => (await channel.checkQueue("tickets")).messageCount === 0,
      "There are tickets left in the queue that the worker did not get.",
    );
  },

  says: /came as number 4: the worker had taken 2 more tickets/,
  wrong: [
    {
      why: "each ticket ahead is one that the fire waits for",
      on: "given",
      edits: [{ file: sub, find: "prefetch(10)", replace: "prefetch(2)" }],
      says: /came as number 3: the worker had taken another ticket/,
    },
    {
      why: "a prefetch holds for consumers that subscribe after it",
      on: "solution",
      edits: [
        { file: sub, find: "  await channel.prefetch(1);\n", replace: "" },
        {
          file: sub,
          find: "await channel.consume(queue, print);",
          replace: "await channel.consume(queue, print);\n  await channel.prefetch(1);",
        },
      ],
      says: /came as number 4/,
    },
    {
      why: "without acknowledgements there is no limit",
      on: "solution",
      edits: [
        { file: sub, find: "\n    channel.ack(ticket);", replace: "" },
        { file: sub, find: "consume(queue, print)", replace: "consume(queue, print, { noAck: true })" },
      ],
      says: /came as number 4/,
    },
  ],
});
