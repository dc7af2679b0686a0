import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { BrokerError, giveUp, text } from "shared";

/** Handles one message. When it resolves, the message is acknowledged and the next one comes. */
export type MessageHandler = (packet: IPublishPacket) => Promise<void> | void;

export interface Session extends IClientOptions {
  /**
   * Whether the broker should not send us what we have published ourselves, and should mark every retained message. It
   * isn't part of the specification. Mosquitto and Aedes know it, RabbitMQ's plugin doesn't.
   */
  bridge?: boolean;
}

/**
 * Connects to the MQTT broker at MQTT_URL. A lost connection is opened again for as long as it takes, and stderr says when
 * it was lost and when it is back. What is published at QoS 1 meanwhile is sent then.
 *
 * When the first connection fails, or handling a message does, stderr says why, and the process exits with code 1.
 *
 * @param session How long it lasts, the will, and whatever else mqtt.js takes.
 * @param handle Gets the messages of the session, the first ones maybe before this resolves.
 * @returns mqtt.js's client, connected.
 */
export async function connectMqtt(
  { bridge = false, ...session }: Session = {},
  handle: MessageHandler = () => {},
): Promise<MqttClient> {
  const { href, shown, login } = readMqttUrl();
  // reconnectPeriod and connectTimeout are in ms.
  const how = { reconnectPeriod: 500, connectTimeout: 10_000, reconnectOnConnackError: true };
  const client = mqtt.connect(href, { ...how, ...login, ...session, manualConnect: true });
  client.handleMessage = async (packet, acknowledge) => {
    const { stream } = client;
    try {
      await handle(packet);
      // A broker delivers again what a lost connection left. On the next one, this could acknowledge another message.
      if (!stream.destroyed) acknowledge();
    } catch (error) {
      if (!stream.destroyed) giveUp(error);
    }
  };
  // mqtt-packet can write that bit (MQTT's version plus 128), but mqtt.js 5.16 has no option for it.
  client.on("packetsend", (packet) => {
    if (packet.cmd === "connect") Object.assign(packet, { bridgeMode: bridge });
  });
  const failure = await new Promise<Failure | undefined>((resolve) => {
    client.once("connect", () => resolve(undefined)).once("error", resolve);
    client.once("close", () => resolve(hungUp)).connect();
  });
  if (failure) giveUp(new BrokerError(explain(failure, shown, bridge), { cause: failure }));
  client.on("offline", () => console.error(" [!] Connection to the MQTT broker lost. Reconnecting ..."));
  client.on("connect", () => console.error(" [!] Connected to the MQTT broker again."));
  return client;
}

/**
 * Says goodbye (DISCONNECT), so that the broker doesn't publish the will, after what is left to send. While the broker is
 * away it doesn't wait for it.
 */
export async function disconnect(client: MqttClient): Promise<void> {
  if (client.connected) await client.endAsync();
  // mqtt.js 5.16 wouldn't call back.
  else client.end(true);
}

type Failure = Error & { code?: string | number };

const hungUp: Failure = new Error("it hung up");

function explain(failure: Failure, broker: string, bridge: boolean): string {
  const { code, message } = failure;
  if (bridge && (failure === hungUp || code === 1))
    return `${broker} hung up on a bridge.\nRabbitMQ's MQTT plugin does that. It needs no bridge: it publishes to amq.topic itself.`;
  // CONNACK's return codes: MQTT 3.1.1, section 3.2.2.3
  if (code === 4 || code === 5)
    return `${broker} refused the login. Are user and password in MQTT_URL right?`;
  const why = whys.get(code);
  if (why !== undefined)
    return `No MQTT broker at ${broker} (${why}).\nStart one with \`pnpm --filter mqtt broker\`, or set MQTT_URL to yours.`;
  return `${broker} can't be used: ${text(message)}.\nMQTT's port is usually 1883, or 8883 with mqtts:.`;
}

const whys = new Map<unknown, string>([
  ["ECONNREFUSED", "connection refused"],
  ["ENOTFOUND", "unknown host"],
  ["EAI_AGAIN", "unknown host"],
  ["ETIMEDOUT", "no answer"],
]);

/**
 * Reads where the broker is: what MQTT_URL says, else this machine. When it is not a URL of MQTT, the process exits with
 * code 1.
 *
 * @returns The parts of the URL that matter here. `shown` has no password.
 */
export function readMqttUrl() {
  const expected = "expected mqtt://user:password@host:1883 or mqtts://…";
  try {
    const url = new URL(process.env.MQTT_URL || "mqtt://localhost");
    const { protocol, host, hostname, port } = url;
    if (!/^mqtts?:$/.test(protocol))
      giveUp(new BrokerError(`MQTT_URL begins with ${protocol} but ${expected}.`));
    const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
    const shown = `${protocol}//${url.username && `${url.username}@`}${host}`;
    const login = username && { username, password };
    return { href: `${protocol}//${host}`, shown, protocol, hostname, port, login };
  } catch {
    // The value isn't repeated: it may hold a password.
    giveUp(new BrokerError(`MQTT_URL is not a URL: ${expected}.`));
  }
}
