import { consume, text, usage } from "shared";
import { readHeaders, show } from "./headers.ts";
import { declareShipments, exchange } from "./topology.ts";

const { words, options, refuse } = usage(
  "sub [--any] [--with-x] <key=value>...",
  'sub destination="New York" delivery_method=air',
  { any: { type: "boolean" }, "with-x": { type: "boolean" } },
);
if (words.length === 0) refuse("Which shipments? Give at least one header.");
const wanted = readHeaders(words, refuse);
// all, any, all-with-x or any-with-x. Without "-with-x" RabbitMQ skips each wanted header that begins with x-.
const match = `${options.any ? "any" : "all"}${options["with-x"] ? "-with-x" : ""}`;

await consume(async (channel) => {
  await declareShipments(channel);
  // A queue of our own: the broker names it, and deletes it when we go.
  const { queue } = await channel.assertQueue("", { exclusive: true });
  await channel.bindQueue(queue, exchange, "", { ...wanted, "x-match": match });
  await channel.consume(
    queue,
    ({ properties, content }) => console.log(` [x] ${show(properties.headers)}: '${text(content)}'`),
    { noAck: true },
  );
  console.log(" [*] Waiting for shipments. To exit press CTRL+C");
});
