import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { freePorts, startBroker } from "broker";
import { openProgram, readersEnvironment } from "stage";

/** An MQTT broker that a test has started. */
export interface MqttBroker {
  url: string;
  stop(): Promise<void>;
}

/**
 * Aedes, in this process.
 *
 * @param port A given one makes it the successor of one that has stopped.
 * @param knows Which passwords are right. By default any, and none.
 */
export async function startAedes(
  port?: number,
  knows: (password: string | undefined) => boolean = () => true,
): Promise<MqttBroker & { port: number }> {
  const at = port ?? ((await freePorts(1))[0] as number);
  const aedes = await Aedes.createBroker({
    authenticate: (_client, _user, password, done) => {
      const refusal = Object.assign(new Error("Auth error"), { returnCode: 5 });
      if (knows(password?.toString())) done(null, true);
      else done(refusal, null);
    },
  });
  const server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(at, "127.0.0.1", resolve));
  return {
    port: at,
    url: `mqtt://127.0.0.1:${at}`,
    async stop() {
      server.close();
      await new Promise<void>((resolve) => aedes.close(resolve));
    },
  };
}

/** RabbitMQ with its MQTT plugin: a node of its own. */
export async function startPlugin() {
  const broker = await startBroker({ private: true, mqtt: true });
  return { ...broker, url: broker.mqttUrl as string };
}

/** Mosquitto as docker-compose.yml has it, in a container that ends with this process. */
export async function startMosquitto(): Promise<MqttBroker> {
  const [port] = await freePorts(1);
  const conf = "/mosquitto/config/mosquitto.conf";
  const volume = `${process.cwd()}/mosquitto.conf:${conf}:ro`;
  // The shell ends when its standard input does, and the container with it.
  const command = ["sh", "-c", `mosquitto -c ${conf} & cat`];
  const args = [
    "run",
    "--rm",
    "-i",
    "-p",
    `127.0.0.1:${port}:1883`,
    "-v",
    volume,
    "eclipse-mosquitto:2",
    ...command,
  ];
  const terminal = openProgram("docker", args, { cwd: process.cwd(), env: readersEnvironment({}) });
  await terminal.printed(/mosquitto version .* running/, { within: 60_000 });
  return { url: `mqtt://127.0.0.1:${port}`, stop: () => terminal.close() };
}

/** Whether there is a Docker engine, and it isn't forbidden to use it. */
export function hasDocker(): boolean {
  if (process.env.BROKER === "native") return false;
  try {
    execFileSync("docker", ["info"], { stdio: "ignore", timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
