// Publishes numbered messages to its queues in turn until it is told to finish, and tells of each when it is confirmed.
import type { Options } from "amqplib";
import { log, openPublisher } from "shared";
import { declare, obey, tell } from "./program.ts";

const [name = "", ...queues] = process.argv.slice(2);
let next = 0;
const publisher = openPublisher({
  async declare(channel) {
    await declare(channel, queues);
    tell("ready");
  },
  onRefusal: "retry",
  log,
});
await publisher.ready;

// Some 250 a second: something is always on its way, and the machine has time for the faults.
const pace = setInterval(() => {
  for (let n = 0; n < 5 && publisher.unconfirmed < 100; n++) void publish(queues[next % queues.length]);
}, 20);
obey({
  poison: () => void publish("poison"),
  unreadable: () => void publish("poison", { headers: nested(9_000) }),
  async finish() {
    clearInterval(pace);
    await publisher.close({ deadline: 60_000 });
    tell("finished");
  },
});

/** What can't be confirmed rejects, and that ends the process. */
async function publish(queue = "", options: Options.Publish = {}): Promise<void> {
  const messageId = `${name}-${next++}`;
  tell("published", messageId);
  if (queue === "poison") tell("poisoned", messageId);
  await publisher.publish("", queue, Buffer.from(messageId), { ...options, messageId, mandatory: true });
  tell("confirmed", messageId);
}

/** Tables in each other: RabbitMQ reads them however deep, and amqplib until its stack is full. */
function nested(depth: number): object {
  let table = {};
  for (let level = 0; level < depth; level++) table = { t: table };
  return table;
}
