import { once } from "node:events";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { BrokerError, firstSignal, giveUp, usage } from "shared";
import { readMqttUrl } from "./connect-mqtt.ts";

// It listens at the port of MQTT_URL, or 1883.
usage("broker", "broker");

// Sessions and retained messages are in this process's memory, and are lost when it ends.
const broker = await Aedes.createBroker();
const server = createServer(broker.handle);
const signalled = firstSignal();
try {
  const { protocol, hostname, port, shown } = readMqttUrl();
  if (protocol !== "mqtt:" || !/^(localhost|127\.0\.0\.1)$/.test(hostname))
    throw new BrokerError(`MQTT_URL names ${shown}, but this broker listens on mqtt://localhost only.`);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) giveUp(error);
  const reason = code === "EADDRINUSE" ? "is in use. If an MQTT broker is there, use it as it is." : message;
  giveUp(new BrokerError(`The port of MQTT ${reason}`));
}
const { port } = server.address() as import("node:net").AddressInfo;
console.log(` [*] Waiting for MQTT clients on mqtt://127.0.0.1:${port}. To exit press CTRL+C`);

await signalled;
server.close();
await new Promise<void>((resolve) => broker.close(resolve));
