import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { BrokerError, giveUp } from "shared";

/**
 * Handles one message, and only then lets the next one come. At QoS 1 the broker keeps it until it is acknowledged.
 *
 * @param gone Aborts when the connection that the message came by is lost. The broker then delivers the message again.
 *   An acknowledgement on the next connection could be taken for that of another message.
 */
export type MessageHandler = (
  packet: IPublishPacket,
  acknowledge: () => void,
  gone: AbortSignal,
) => Promise<void> | void;

export interface Session extends IClientOptions {
  /**
   * Whether the broker should not send us what we have published ourselves, and should mark every retained message. It
   * isn't part of the specification. Mosquitto and Aedes know it, RabbitMQ's plugin doesn't.
   */
  bridge?: boolean;
}

/**
 * Connects to the MQTT broker at MQTT_URL. The first connection is tried four times within about two seconds. A lost one
 * is opened again for as long as it takes, and stderr says when it was lost and when it is back. What is published at QoS
 * 1 meanwhile is sent then.
 *
 * When the first connection fails, stderr says why in one or two lines, and the process exits with code 1.
 *
 * @param session How long it lasts, the will, and whatever else mqtt.js takes.
 * @param handle Gets the messages of the session, the first ones maybe before this resolves. By default it drops them.
 * @returns mqtt.js's client, connected.
 */
export async function connectMqtt(
  { bridge = false, ...session }: Session = {},
  handle: MessageHandler = (_, acknowledge) => acknowledge(),
): Promise<MqttClient> {
  try {
    const { href, shown, login } = readMqttUrl();
    const client = mqtt.connect(href, {
      // ms
      reconnectPeriod: 500,
      connectTimeout: 10_000,
      manualConnect: true,
      ...login,
      ...session,
    });
    let gone = new AbortController();
    client.handleMessage = (packet, acknowledge) => handle(packet, acknowledge, gone.signal);
    client.on("close", () => {
      gone.abort();
      gone = new AbortController();
    });
    // mqtt-packet can write that bit (MQTT's version plus 128), but mqtt.js 5.16 has no option for it.
    if (bridge)
      client.on(
        "packetsend",
        (packet) => packet.cmd === "connect" && Object.assign(packet, { bridgeMode: true }),
      );
    client.connect();
    await firstConnection(client, shown, bridge);
    client.options.reconnectOnConnackError = true;
    let away = false;
    client.on("close", () => {
      if (away || client.disconnecting) return;
      away = true;
      console.error(" [!] Connection to the MQTT broker lost. Reconnecting ...");
    });
    client.on("connect", () => {
      away = false;
      console.error(" [!] Connected to the MQTT broker again.");
    });
    return client;
  } catch (error) {
    giveUp(error);
  }
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

function firstConnection(client: MqttClient, broker: string, bridge: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let reason: Error | undefined;
    let attempts = 0;
    // It stays: an `error` without a listener ends the process.
    client.on("error", (error) => {
      reason = error;
    });
    const onClose = () => {
      // A refused login is not worth another try.
      if (++attempts < 4 && isPassing(reason)) return;
      client.off("close", onClose).end(true);
      reject(explain(reason, broker, bridge));
    };
    client.on("close", onClose);
    client.once("connect", () => {
      client.off("close", onClose);
      resolve();
    });
  });
}

type Failure = Error & { code?: string | number };

const isPassing = (reason: Failure | undefined): boolean =>
  reason === undefined || /^(ECONN|ENOTFOUND|EAI_AGAIN|EHOST|ENET|EPIPE|ETIMEDOUT)/.test(String(reason.code));

function explain(reason: Failure | undefined, broker: string, bridge: boolean): BrokerError {
  const options = { cause: reason };
  if (bridge && (reason === undefined || reason.code === 1))
    return new BrokerError(
      `${broker} hung up on a bridge.\nRabbitMQ's MQTT plugin does that. It needs no bridge: it publishes to amq.topic itself.`,
      options,
    );
  if (reason === undefined || reason.code === "ECONNRESET" || reason.code === "EPIPE")
    return new BrokerError(
      `${broker} hung up before it spoke MQTT.\nMQTT's port is usually 1883, or 8883 with mqtts:.`,
      options,
    );
  // CONNACK's return codes: MQTT 3.1.1, section 3.2.2.3
  if (reason.code === 4 || reason.code === 5)
    return new BrokerError(`${broker} refused the login. Are user and password in MQTT_URL right?`, options);
  if (isPassing(reason))
    return new BrokerError(
      `No MQTT broker at ${broker} (${whys[String(reason.code)] ?? reason.code}).\nStart one with \`pnpm --filter mqtt broker\`, or set MQTT_URL to yours.`,
      options,
    );
  return new BrokerError(`${broker} can't be used: ${reason.message}.`, options);
}

const whys: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "unknown host",
  EAI_AGAIN: "unknown host",
  ETIMEDOUT: "no answer",
};

/**
 * Reads where the broker is: what MQTT_URL says, else this machine.
 *
 * @returns The parts of the URL that matter here. `shown` has no password.
 * @throws {BrokerError} When MQTT_URL is not a URL of MQTT.
 */
export function readMqttUrl() {
  const url = process.env.MQTT_URL || "mqtt://localhost";
  const expected = "expected mqtt://user:password@host:1883 or mqtts://…";
  try {
    const { protocol, host, hostname, port, username, password } = new URL(url);
    if (protocol !== "mqtt:" && protocol !== "mqtts:")
      throw new BrokerError(`MQTT_URL begins with ${protocol} but ${expected}.`);
    return {
      href: `${protocol}//${host}`,
      shown: `${protocol}//${username && `${username}@`}${host}`,
      protocol,
      hostname,
      port: Number(port) || (protocol === "mqtt:" ? 1883 : 8883),
      login:
        username === ""
          ? {}
          : { username: decodeURIComponent(username), password: decodeURIComponent(password) },
    };
  } catch (error) {
    // The value isn't repeated: it may hold a password.
    throw error instanceof BrokerError ? error : new BrokerError(`MQTT_URL is not a URL: ${expected}.`);
  }
}
