import { once } from "node:events";
import { isFree, startBroker } from "broker";
import { firstSignal, text, usage } from "shared";
import { isThere, read } from "./certificates.ts";
import { queue } from "./topology.ts";
import { brokerUrl } from "./url.ts";

const { words, options, refuse } = usage("broker [--certificate <name>]", "broker --certificate expired", {
  certificate: { type: "string", default: "server" },
});
const { certificate } = options;
if (words.length > 0) refuse("broker takes no arguments.");
if (![certificate, `${certificate}-key`, "ca"].every(isThere))
  refuse(
    `There is no certificate "${text(certificate)}" with a key. The script make-certificates makes some.`,
  );

const stopping = new AbortController();
void firstSignal().then(() => stopping.abort());
const port = Number(brokerUrl().port) || 5671;
if (!(await isFree(port))) {
  console.error(`Port ${port} is in use. AMQPS_URL may name another.`);
  process.exit(1);
}
const tls = { ca: read("ca"), certificate: read(certificate), key: read(`${certificate}-key`), port };
try {
  const broker = await startBroker({ private: true, tls, say: console.log, signal: stopping.signal });
  // No password: this user's certificate is the login. It may do no more than send.
  await broker.management("PUT", "/users/billing", { password_hash: "", tags: "" });
  const permissions = { configure: `^${queue}$`, write: "^amq\\.default$", read: "" };
  await broker.management("PUT", "/permissions/%2F/billing", permissions);
  console.log(` [*] RabbitMQ speaks TLS at amqps://localhost:${port}. To exit press CTRL+C`);
  await once(stopping.signal, "abort");
  await broker.stop();
} catch (error) {
  if (!stopping.signal.aborted) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
