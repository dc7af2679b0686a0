import amqp from "amqplib";
import { exercise } from "exercise";

const messages = "src/messages.ts";
const topology = "src/topology.ts";

const declares = `  const declare = (channel: Channel) => declareInbox(channel, to);
  const publisher = openPublisher({ declare, onRefusal: "retry", log });
  // mandatory: when the queue was deleted, the broker returns the message, and the publisher declares the queue again.
  const options = { headers: { from }, contentType: "text/plain", mandatory: true };`;

/** A writer who leaves the queue to its reader. */
const doesNotDeclare = {
  file: messages,
  find: declares,
  replace: `  const publisher = openPublisher({ onRefusal: "retry", log });
  const options = { headers: { from }, contentType: "text/plain" };`,
};

const queue = `{
    durable: true,
    arguments: {
      "x-queue-type": "quorum",
      // Two readers would get every other message each. So a second one waits until the first is gone. (An exclusive
      // consumer would say that better, but RabbitMQ 3.10 and 4.3 let others consume a quorum queue beside it.)
      "x-single-active-consumer": true,
    },
  }`;

const exclusive = {
  file: topology,
  find: queue,
  replace: `{
    // Two readers would get every other message each. So the queue belongs to the one who is here.
    exclusive: true,
  }`,
};

export default exercise({
  from: "chat",
  files: [messages, topology],
  given: [
    doesNotDeclare,
    exclusive,
    {
      file: topology,
      find: `Declares the queue of one person. Both programs do, so it does not matter which one runs first. It keeps what is written
 * to somebody who is away, through a restart of the broker as well.`,
      replace: "Declares the queue of one person, which the broker deletes when that person leaves.",
    },
  ],

  async check({ run, amqpUrl }) {
    const enter = async (you: string, partner: string) => {
      const chat = run("chat", you, partner);
      await chat.ready();
      return {
        write: async (line: string) => {
          chat.type(line);
          await chat.prints(` ✓ ${line}`, `${you} wrote "${line}", and RabbitMQ did not confirm it.`);
        },
        reads: (line: string, otherwise: string) => chat.prints(`${partner}: ${line}`, otherwise),
        leave: async () => {
          chat.type("/quit");
          await chat.ends(`${you} typed /quit and did not leave.`);
        },
      };
    };
    const jean = await enter("Jean", "Pierre");
    await jean.write("Welcome!");
    const pierre = await enter("Pierre", "Jean");
    await pierre.reads(
      "Welcome!",
      "Jean wrote to Pierre, who had never been here, and got a ✓. Then Pierre came, and there was nothing for him.",
    );
    await pierre.leave();

    await jean.write("Are you still there?");
    await loseConnection(amqpUrl, "Pierre_queue");
    const again = await enter("Pierre", "Jean");
    await again.reads(
      "Are you still there?",
      "Jean wrote to Pierre, who had left, and got a ✓. Then Pierre came back, and what Jean had written is gone.",
    );
    await again.write("Now I am.");
    await jean.reads("Now I am.", "Jean and Pierre are both there, and Jean did not get Pierre's answer.");
  },

  says: /wrote to Pierre, who had never been here, and got a ✓\. Then Pierre came, and there was nothing for him/,
  wrong: [
    {
      why: "an auto-delete queue goes with its last reader, and takes along what was not read",
      on: "solution",
      edits: [
        {
          file: topology,
          find: queue,
          replace: `{ autoDelete: true, arguments: { "x-single-active-consumer": true } }`,
        },
      ],
      says: /wrote to Pierre, who had left, and got a ✓\. Then Pierre came back, and what Jean had written is gone/,
    },
    {
      why: "somebody who has never been here has declared no queue",
      on: "solution",
      edits: [doesNotDeclare],
      says: /wrote to Pierre, who had never been here, and got a ✓/,
    },
    {
      why: "an exclusive queue belongs to the connection that has declared it: here to the writer's",
      on: "solution",
      edits: [exclusive],
      says: /chat did not get ready.*exclusive/,
    },
  ],
});

/** Somebody gets the messages of a queue, and their connection is lost before they have read them. */
async function loseConnection(amqpUrl: string, queue: string): Promise<void> {
  const connection = await amqp.connect(amqpUrl, { noDelay: true });
  try {
    const channel = await connection.createChannel();
    channel.on("error", () => {});
    await channel.consume(queue, () => {});
  } catch {
    // There is no such queue, or it is somebody else's: there is nothing to lose.
  } finally {
    await connection.close();
  }
}
