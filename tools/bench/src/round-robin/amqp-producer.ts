// A worker (see ../worker.ts) that publishes a run's messages to a queue.

import { once } from "node:events";
import amqp from "amqplib";
import { numbered } from "../seen.ts";
import { now, options, say, sayProgress, told } from "../work.ts";
import type { AmqpProducer } from "./profiles.ts";

const { queue, messages, size, persistent, window, drain, noDelay } = options as AmqpProducer;

const connection = await amqp.connect(process.env.AMQP_URL as string, { noDelay });
const channel = await (window > 0 ? connection.createConfirmChannel() : connection.createChannel());
say("ready");
await told();

let published = 0;
let unconfirmed = 0;
let refused = false;
let onConfirm = () => {};
const confirmed = (error: unknown) => {
  unconfirmed--;
  if (error) refused = true;
  onConfirm();
};
const room = (below: number) =>
  new Promise<void>((resolve) => {
    onConfirm = () => {
      if (unconfirmed < below) resolve();
    };
    onConfirm();
  });
sayProgress(() => published);

const first = now();
for (; published < messages; published++) {
  if (window > 0 && unconfirmed === window) await room(window);
  unconfirmed++;
  // A channel without confirms leaves the callback alone.
  const written = channel.publish("", queue, numbered(published, size), { persistent }, confirmed);
  if (!written && drain) await once(channel, "drain");
}
if (window > 0) await room(1);
const last = now();
if (refused) throw new Error("The broker refused a message.");
say("done", { count: published, first, last });
// It stays until it is ended: of what isn't confirmed, RabbitMQ 3.10 forgets some when the channel closes before the
// quorum queue has it.
