import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { request } from "node:http";
import { homedir, hostname, userInfo } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { BrokerPlace } from "./broker.ts";
import {
  clusterFormation,
  enabledPlugins,
  setMemoryLimit,
  statistics,
  syncTables,
  tlsConfiguration,
} from "./configuration.ts";
import { type Keeper, keep } from "./keeper.ts";
import type { NodeOptions } from "./options.ts";
import { onPorts } from "./ports.ts";
import { ready } from "./ready.ts";

/** Where a Docker engine listens, as Node's http.request takes it. */
export type Engine = { socketPath: string } | { host: string; port: string };

/** The image that is run. */
export const image = () => process.env.RABBITMQ_IMAGE || "rabbitmq:4-management";

/**
 * Finds the Docker engine of this machine.
 *
 * @param dockerHost The variable DOCKER_HOST. Without it, the sockets where Testcontainers looks, in its order.
 * @throws When there is none, or it is on another machine: a container's ports would not be on 127.0.0.1 here.
 */
export function findEngine(dockerHost = process.env.DOCKER_HOST): Engine {
  if (dockerHost) {
    const { protocol, hostname, port, pathname } = new URL(dockerHost);
    if (protocol === "unix:") return { socketPath: pathname };
    if (protocol === "tcp:" && /^(localhost|127\.0\.0\.1)$/.test(hostname))
      return { host: "127.0.0.1", port: port || "2375" };
    throw new Error(`the engine at DOCKER_HOST (${protocol}//${hostname}) is on another machine`);
  }
  if (process.platform === "win32") return { socketPath: "//./pipe/docker_engine" };
  const sockets = [
    "/var/run/docker.sock",
    join(process.env.XDG_RUNTIME_DIR ?? "/", "docker.sock"),
    join(homedir(), ".docker/run/docker.sock"),
    join(homedir(), ".docker/desktop/docker.sock"),
    `/run/user/${userInfo().uid}/docker.sock`,
  ];
  const socketPath = sockets.find((path) => existsSync(path));
  if (socketPath === undefined) throw new Error("no engine on this machine (no docker.sock)");
  return { socketPath };
}

/**
 * Finds the image in the Docker engine of this machine.
 *
 * @returns Its id, or `undefined` when it has to be pulled.
 * @throws When there is no engine, or it doesn't answer within 2 s, or its containers can't be reached from here.
 */
export async function findImage(): Promise<string | undefined> {
  const engine = findEngine();
  // In a container with the socket of the machine around it, 127.0.0.1 is not where the engine's ports are.
  if (existsSync("/.dockerenv") && (await ask<{ Name: string }>(engine, "/info"))?.Name !== hostname())
    throw new Error("the engine is outside of this container, and so are its ports");
  return (await ask<{ Id: string }>(engine, `/images/${image()}/json`))?.Id;
}

async function ask<T>(engine: Engine, path: string): Promise<T | undefined> {
  // ms
  const signal = AbortSignal.timeout(5_000);
  const asking = request({ ...engine, path, signal }).end();
  let response: import("node:http").IncomingMessage;
  try {
    [response] = await once(asking, "response");
  } catch (error) {
    const reason = signal.aborted
      ? "no answer"
      : ((error as NodeJS.ErrnoException).code ?? (error as Error).message);
    throw new Error(`the engine at ${Object.values(engine).join(":")} does not answer (${reason})`);
  }
  const answer = (await json(response)) as T & { message?: string };
  if (response.statusCode === 200) return answer;
  if (response.statusCode === 404) return undefined;
  throw new Error(`the engine refused: ${answer.message}`);
}

/**
 * Starts RabbitMQ in a container whose ports are on 127.0.0.1 only. It is removed when it is stopped or when this
 * process ends, by whatever cause.
 *
 * @param options `port` and `managementPort` where they matter, else free ones; `say` hears that an image is pulled;
 *   `signal` to give up.
 * @returns The broker, answering.
 * @throws When the image can't be had, or RabbitMQ doesn't answer within two minutes, or with the signal's reason.
 */
export async function startDocker(options: NodeOptions): Promise<BrokerPlace> {
  if ((await findImage()) === undefined) options.say?.(`Pulling ${image()} …`);
  else options.say?.(`Starting ${image()} in Docker …`);
  return onPorts([options.port, options.managementPort, undefined, options.tls?.port], (ports) =>
    startContainer(ports as [number, number, number, number], options),
  );
}

async function startContainer(
  [port, managementPort, mqttPort, tlsPort]: [number, number, number, number],
  options: NodeOptions,
): Promise<BrokerPlace> {
  // A third of a second to load, and not needed before.
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import("testcontainers");
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const { member } = options;
  const name = member ? `${member.cluster}-${member.number}` : `rabbitmq-${randomUUID().slice(0, 8)}`;
  const hostOf = (number: number | string) => `rabbitmq${number}`;
  const nameOf = (number: number | string) => `rabbit@${hostOf(number)}`;
  const amqpUrl = `amqp://guest:guest@127.0.0.1:${port}`;
  const managementUrl = `http://guest:guest@127.0.0.1:${managementPort}`;
  const tlsFolder = "/etc/rabbitmq/tls";
  const tls = options.tls && tlsConfiguration(options.tls, "5671", tlsFolder);
  let keeper: Keeper | undefined;

  class LoopbackContainer extends GenericContainer {
    protected override async beforeContainerCreated() {
      options.signal?.throwIfAborted();
      for (const bindings of Object.values(
        this.hostConfig.PortBindings as Record<string, { HostIp?: string }[]>,
      ))
        for (const binding of bindings) binding.HostIp = "127.0.0.1";
      const { socketPath, host, port } = dockerode.modem as unknown as {
        socketPath?: string;
        host: string;
        port: string;
      };
      const engine = socketPath === undefined ? { host, port } : { socketPath };
      keeper = keep({ container: { engine, name, network: member?.cluster } });
      if (member?.number === 1) await dockerode.createNetwork({ Name: member.cluster });
    }
  }

  const container = dockerode.getContainer(name);
  async function answers(giveUp?: AbortSignal) {
    const ended = new AbortController();
    container.wait().then(
      ({ StatusCode }) => ended.abort(new Error(`the container ended with exit code ${StatusCode}`)),
      () => {},
    );
    const { StartedAt } = (await container.inspect()).State;
    // s, with fractions: a restarted container's log has the earlier runs, too.
    const since = Date.parse(StartedAt) / 1000;
    const log = async () => (await container.logs({ stdout: true, stderr: true, since })).toString();
    return ready({ amqpUrl, managementUrl, log }, ended.signal, giveUp);
  }

  const configured = new LoopbackContainer(image());
  if (member)
    configured
      .withNetworkMode(member.cluster)
      .withNetworkAliases(hostOf(member.number))
      .withEnvironment({ RABBITMQ_ERLANG_COOKIE: member.cookie });
  const starting = configured
    .withName(name)
    // The node's name, and so the place of its data, comes from it.
    .withHostname(hostOf(member?.number ?? ""))
    .withExposedPorts(
      { container: 5672, host: port },
      { container: 15672, host: managementPort },
      ...(options.mqtt ? [{ container: 1883, host: mqttPort }] : []),
      ...(tls ? [{ container: 5671, host: tlsPort }] : []),
    )
    .withCopyContentToContainer([
      { content: enabledPlugins(options), target: "/etc/rabbitmq/enabled_plugins" },
      {
        content: `${[statistics, ...(tls?.lines ?? []), ...(member ? clusterFormation(member, nameOf) : [])].join("\n")}\n`,
        target: "/etc/rabbitmq/conf.d/90-patterns.conf",
      },
      ...Object.entries(tls?.files ?? {}).map(([name, content]) => ({
        content,
        target: `${tlsFolder}/${name}`,
      })),
    ])
    // Ours is the keeper, and readiness is what we await.
    .withAutoCleanup(false)
    .withWaitStrategy(Wait.forAll([]))
    .start();
  try {
    // A pull may take minutes, and goes on without us. The container is then not created any more.
    const started = await Promise.race([starting, aborted(options.signal, () => keeper === undefined)]);
    const version = await answers(options.signal);
    const evaluate = async (expression: string) => {
      const { exitCode, output } = await started.exec(["rabbitmqctl", "eval", expression]);
      if (exitCode !== 0) throw new Error(`rabbitmqctl failed: ${output}`);
    };
    const { Image: id } = await container.inspect();
    return {
      nodeName: nameOf(member?.number ?? ""),
      amqpUrl,
      managementUrl,
      ...(options.mqtt ? { mqttUrl: `mqtt://guest:guest@127.0.0.1:${mqttPort}` } : {}),
      ...(tls ? { amqpsUrl: `amqps://localhost:${tlsPort}` } : {}),
      version,
      identity: `${image()} ${id}`,
      description: `RabbitMQ ${version} in Docker (${image()})`,
      settle: () => evaluate(syncTables),
      memoryAlarm: (on) => evaluate(setMemoryLimit(on)),
      async kill() {
        await container.kill();
        await container.wait();
      },
      async start() {
        await container.start();
        await answers();
      },
      stop: () => keeper?.stop() ?? Promise.resolve(),
    };
  } catch (error) {
    await keeper?.stop();
    throw error;
  }
}

/** Rejects with a signal's reason when it is aborted and a condition holds then. */
function aborted(signal: AbortSignal | undefined, condition: () => boolean): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => condition() && reject(signal.reason), { once: true });
  });
}
