import amqp from "amqplib";
import { exercise, Miss } from "exercise";

const worker = "src/worker.ts";
const topology = "src/topology.ts";

/** What kills a worker comes back. These are more deliveries than the example allows, and fewer than RabbitMQ 4 does. */
const DEATHS = 10;
/** What the worker gives back comes back. These are more deliveries than RabbitMQ 4 allows by itself. */
const ATTEMPTS = 30;

const ROUND =
  "The worker failed to do the order A glass vase, and gets it again and again. It is still in its queue, and goes round " +
  "for ever.";

const limit = {
  file: topology,
  find: `
      // An order that kills its worker comes back. After the sixth time it is a dead letter.
      "x-delivery-limit": 5,`,
  replace: "",
};

const rejects = `// Not back into its queue (false): it would come again at once, and fail again.
      channel.reject(delivery, false);`;

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.
export default exercise({
  from: "dead-letter",
  files: [topology, worker],
  given: [
    limit,
    {
      file: worker,
      find: rejects,
      replace: "// It failed, so it has to be tried again.\n      channel.nack(delivery);",
    },
    { file: worker, find: "Rejected: ${order}", replace: "Failed: ${order}" },
  ],

  async check({ run, channel, amqpUrl, until }) {
    const send = async (order: string) => {
      channel.sendToQueue("orders", Buffer.from(order));
      await channel.waitForConfirms();
    };
    const inMorgue = async () => (await channel.checkQueue("morgue")).messageCount;
    /** Waits until so many orders are in the morgue, while one worker after the other dies of what is in their queue. */
    const buried = async (count: number, stillThere: string, lost: string) => {
      let deaths = 0;
      await until(async () => {
        if ((await inMorgue()) === count) return true;
        if (deaths === DEATHS) throw new Miss(stillThere);
        if (await takeAndDie(amqpUrl)) deaths++;
        return false;
      }, lost);
    };
    const program = run("worker", "--fail-on", "glass");
    await program.ready();
    await send("A glass vase");
    await send("A book");
    await program.prints(" [x] Done: A book", "The worker did not do the order behind the one that failed.");
    const attempts = () => program.lines.filter((line) => line.includes("A glass vase")).length;
    // What comes back later, or never, is seen below.
    await until(async () => attempts() > ATTEMPTS || (await inMorgue()) === 1, ROUND, {
      within: 1_000,
    }).catch((error) => {
      if (!(error instanceof Miss)) throw error;
    });
    if (attempts() > ATTEMPTS) throw new Miss(ROUND);
    program.press("^C");
    await program.ends("The worker did not end on Ctrl-C.");
    await buried(
      1,
      ROUND,
      "The worker failed to do the order A glass vase, and now the order is in no queue: it is lost.",
    );
    await send("A bomb");
    await buried(
      2,
      `An order that kills its worker, before the worker can reject it, was delivered ${DEATHS} times and is still in ` +
        "its queue. It goes round until somebody sets a limit.",
      "An order that kills its worker is in no queue any more, and not in the morgue: it is lost.",
    );
  },

  says: /gets it again and again.*goes round for ever/,
  wrong: [
    {
      why: "a pause only makes the circle slower",
      on: "given",
      edits: [
        {
          file: worker,
          find: "channel.nack(delivery);",
          replace: "setTimeout(() => channel.nack(delivery), 1000);",
        },
      ],
      says: /goes round for ever/,
    },
    {
      why: "the worker can't reject an order that kills it",
      on: "solution",
      edits: [limit],
      says: /kills its worker.* is still in its queue/,
    },
    {
      why: "an order that is acknowledged is gone",
      on: "solution",
      edits: [{ file: worker, find: "channel.reject(delivery, false);", replace: "channel.ack(delivery);" }],
      says: /A glass vase.* it is lost/,
    },
  ],
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.

/**
 * What the broker sees of a worker that an order kills: its connection is gone, and the order was not answered for.
 *
 * @returns Whether there was an order.
 */
async function takeAndDie(amqpUrl: string): Promise<boolean> {
  const connection = await amqp.connect(amqpUrl, { noDelay: true });
  const order = await (await connection.createChannel()).get("orders");
  await connection.close();
  return order !== false;
}
