import { produce, text, usage } from "shared";
import { readHeaders, show } from "./headers.ts";
import { declareShipments, exchange } from "./topology.ts";

const { words, options, refuse } = usage(
  "pub [--text <text>] <key=value>...",
  'pub destination="New York" delivery_method=air --text "Ten crates"',
  { text: { type: "string", default: "A parcel" } },
);
const headers = readHeaders(words, refuse);

await produce(async (channel) => {
  await declareShipments(channel);
  // The routing key is empty, because a headers exchange ignores it. The headers travel beside the body.
  channel.publish(exchange, "", Buffer.from(options.text), { headers, contentType: "text/plain" });
  await channel.waitForConfirms();
  console.log(` [x] Sent ${show(headers)}: '${text(options.text)}'`);
});
