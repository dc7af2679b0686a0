import { produce, text, usage } from "shared";
import { login, loginOption } from "./logins.ts";
import { declareLogs, exchange } from "./topology.ts";

const { words, options, refuse } = usage(
  "pub [--as <user>] [severity] [text...]",
  'pub error "Disk full"',
  loginOption,
);
const [severity = "info", ...rest] = words;
const message = rest.join(" ") || "Hello World!";
if (Buffer.byteLength(severity) > 255) refuse("A severity is a routing key, which has at most 255 bytes.");

await produce(
  async (channel) => {
    // Declaring takes the right to configure, which those users don't have: `users` has done it.
    if (!options.as) await declareLogs(channel);
    // The severity is the routing key. Queues that are bound with the very same word get a copy each.
    channel.publish(exchange, severity, Buffer.from(message));
  },
  login(options.as, refuse),
);
console.log(` [x] Sent ${text(severity)}: '${text(message)}'`);
