import { consume, handle, text, usage } from "shared";
import { readHeaders, show } from "./headers.ts";
import { declareShipments, exchange } from "./topology.ts";

const { words, options, refuse } = usage(
  "sub [--any] [--with-x] <key=value>...",
  'sub destination="New York" delivery_method=air',
  { any: { type: "boolean" }, "with-x": { type: "boolean" } },
);
const wanted = readHeaders(words, refuse);

await consume(async (channel) => {
  await declareShipments(channel);
  // A queue of our own. The broker names it, and deletes it when we disconnect.
  const { queue } = await channel.assertQueue("", { exclusive: true });
  // Without "-with-x", RabbitMQ ignores the wanted headers whose names begin with x-.
  const match = `${options.any ? "any" : "all"}${options["with-x"] ? "-with-x" : ""}`;
  await channel.bindQueue(queue, exchange, "", { ...wanted, "x-match": match });
  const print = handle(({ properties, content }) =>
    console.log(` [x] ${show(properties.headers)}: '${text(content)}'`),
  );
  await channel.consume(queue, print, { noAck: true });
  console.log(" [*] Waiting for shipments. To exit press CTRL+C");
});
