import { once } from "node:events";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { BrokerError, firstSignal, giveUp, usage } from "shared";
import { readMqttUrl } from "./connect-mqtt.ts";

usage("broker", "broker");
const { protocol, hostname, port, shown } = readMqttUrl();
if (protocol !== "mqtt:" || !/^(localhost|127\.0\.0\.1)$/.test(hostname))
  giveUp(new BrokerError(`MQTT_URL names ${shown}, but this broker listens on mqtt://localhost only.`));

// Sessions and retained messages are in this process's memory, and are lost when it ends.
const broker = await Aedes.createBroker();
const signalled = firstSignal();
const server = createServer(broker.handle).listen(Number(port || 1883), "127.0.0.1");
await once(server, "listening").catch(({ code, message }) => {
  const reason = code === "EADDRINUSE" ? "is in use. If an MQTT broker is there, use it as it is." : message;
  giveUp(new BrokerError(`The port of MQTT ${reason}`));
});
console.log(` [*] Waiting for MQTT clients on mqtt://127.0.0.1:${port || 1883}. To exit press CTRL+C`);

await signalled;
server.close();
await new Promise<void>((resolve) => broker.close(resolve));
