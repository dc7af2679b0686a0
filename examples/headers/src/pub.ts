import { produce, text, usage } from "shared";
import { readHeaders, show } from "./headers.ts";
import { declareShipments, exchange } from "./topology.ts";

const { words, refuse } = usage(
  "pub <key=value>... [-- text]",
  'pub destination="New York" delivery_method=air -- "Ten crates"',
);
// Node's parser drops the dashes: what stands behind them are the last of the words.
const dashes = process.argv.indexOf("--");
const rest = dashes < 0 ? [] : process.argv.slice(dashes + 1);
const headers = readHeaders(words.slice(0, words.length - rest.length), refuse);
if (Object.keys(headers).length === 0) refuse("What kind of shipment? Give at least one header.");
const message = rest.join(" ") || "A parcel";

await produce(async (channel) => {
  await declareShipments(channel);
  // The routing key is empty, since nobody looks at it. The headers travel with the message, beside its body.
  channel.publish(exchange, "", Buffer.from(message), { headers });
  console.log(` [x] Sent ${show(headers)}: '${text(message)}'`);
});
