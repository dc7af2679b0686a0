// Publishes numbered messages to its queues in turn, with confirms, until it is told to finish. What is not confirmed
// when its connection is lost, is refused or given back is published again on a new connection, with the same id.
import type { ChannelModel, ConfirmChannel } from "amqplib";
import { closed, connect } from "shared";
import { declare, obey, tell } from "./program.ts";

const [name = "", ...queues] = process.argv.slice(2);
const unconfirmed = new Set<number>();
let published = 0;
let finishing = false;
let current: ConfirmChannel | undefined;

const connection = await connect({ setup: start });
connection.on("blocked", () => tell("blocked"));
// Some 250 a second: something is always on its way, and the machine has time for the faults.
const pace = setInterval(() => {
  for (let n = 0; n < 5 && current && unconfirmed.size < 100; n++) publish(current, published++);
}, 20);
obey({
  finish() {
    finishing = true;
    clearInterval(pace);
    finishIfConfirmed();
  },
});

async function start(model: ChannelModel): Promise<void> {
  const channel = await model.createConfirmChannel();
  await declare(channel, queues);
  const startAgain = () => {
    if (channel !== current) return;
    current = undefined;
    if (!finishing || unconfirmed.size > 0) void model.close();
  };
  // First of all listeners: amqplib's own then answers every unconfirmed message with an error.
  channel.prependOnceListener("close", startAgain);
  // A message for which there is no queue is given back, and confirmed after that.
  channel.on("return", startAgain).on("nack", startAgain);
  current = channel;
  tell("ready");
  for (const number of unconfirmed) publish(channel, number);
}

function publish(channel: ConfirmChannel, number: number): void {
  const messageId = `${name}-${number}`;
  const options = { messageId, persistent: true, mandatory: true };
  unconfirmed.add(number);
  tell("published", messageId);
  channel.sendToQueue(
    queues[number % queues.length] as string,
    Buffer.from(messageId),
    options,
    (refusal: unknown) => {
      // Of an older channel, or of one that is given up: it is published again.
      if (refusal || channel !== current) return;
      unconfirmed.delete(number);
      tell("confirmed", messageId);
      finishIfConfirmed();
    },
  );
}

async function finishIfConfirmed(): Promise<void> {
  if (!finishing || unconfirmed.size > 0) return;
  tell("finished");
  if (current) await closed(current);
  await connection.close();
}
