import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { BrokerPlace } from "./broker.ts";
import {
  clusterFormation,
  enabledPlugins,
  setMemoryLimit,
  statistics,
  syncTables,
  tlsConfiguration,
} from "./configuration.ts";
import { keep } from "./keeper.ts";
import type { NodeOptions } from "./options.ts";
import { onPorts } from "./ports.ts";
import { ready } from "./ready.ts";

/** A RabbitMQ that is installed on this machine. */
export interface Installation {
  server: string;
  epmd: string;
  version: string;
}

/**
 * Finds a RabbitMQ on this machine.
 *
 * @returns Where its programs are and its version, read from its files; nothing is started.
 * @throws When there is none, or it lacks epmd.
 */
export function findInstallation(): Installation {
  const server = serverCandidates().find((path) => existsSync(path));
  if (server === undefined) throw new Error("no rabbitmq-server on this machine");
  const epmd = searchPath()
    .map((folder) => join(folder, "epmd"))
    .find((path) => existsSync(path));
  if (epmd === undefined) throw new Error(`${server} is here, but Erlang's epmd is not on the PATH`);
  return { server, epmd, version: versionOf(server) };
}

/** What the results of tests on it depend on. */
export const identityOf = ({ version }: Installation): string => `RabbitMQ ${version} native`;

function serverCandidates(): string[] {
  return [
    // Debian's own package. Its /usr/sbin/rabbitmq-server changes to the user rabbitmq.
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    // Team RabbitMQ's packages for Debian and Fedora
    ...children("/usr/lib/rabbitmq/lib", "rabbitmq_server-").map((folder) =>
      join(folder, "sbin/rabbitmq-server"),
    ),
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
    "/home/linuxbrew/.linuxbrew/opt/rabbitmq/sbin/rabbitmq-server",
    // The generic archive, as in the official Docker image
    "/opt/rabbitmq/sbin/rabbitmq-server",
    ...pathFolders()
      .filter((folder) => !/^(\/usr)?\/s?bin$/.test(folder))
      .map((folder) => join(folder, "rabbitmq-server")),
  ];
}

const pathFolders = () => (process.env.PATH ?? "").split(delimiter).filter(Boolean);

const searchPath = () => [
  ...new Set([
    ...pathFolders(),
    "/usr/bin",
    "/bin",
    "/usr/lib/erlang/bin",
    "/usr/lib64/erlang/bin",
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/home/linuxbrew/.linuxbrew/bin",
  ]),
];

/** The version is in the name of RabbitMQ's main library, which lies beside the script or, on Debian, beside its parent. */
function versionOf(server: string): string {
  const home = dirname(dirname(realpathSync(server)));
  const homes = [home, ...children(join(home, "lib"), "rabbitmq_server-")];
  for (const folder of homes.flatMap((home) => children(join(home, "plugins"), "rabbit-"))) {
    const version = /rabbit-(\d+\.\d+\.\d+[\w.+-]*?)(\.ez)?$/.exec(folder)?.[1];
    if (version !== undefined) return version;
  }
  return "of unknown version";
}

function children(folder: string, prefix: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(folder, name));
}

/**
 * Starts a private node of a RabbitMQ that is installed here: its own data, its own epmd, nothing shared with the
 * machine's service, listening on 127.0.0.1 only. A process of its own, the keeper, takes it down with all that
 * belongs to it when it is stopped or when this process ends, by whatever cause.
 *
 * @param installation What to start.
 * @param options `port` and `managementPort` where they matter, else free ones; `signal` to give up.
 * @returns The node, answering.
 * @throws When it doesn't answer within two minutes, with the end of its log, or with the signal's reason.
 */
export async function startNative(installation: Installation, options: NodeOptions): Promise<BrokerPlace> {
  options.say?.(`Starting RabbitMQ ${installation.version} on this machine …`);
  const fixed = [options.port, options.managementPort, undefined, undefined, undefined, options.tls?.port];
  return onPorts(fixed, (ports) => startNode(installation, ports as Ports, options));
}

type Ports = [number, number, number, number, number, number];

async function startNode(
  installation: Installation,
  [port, managementPort, distributionPort, freeEpmdPort, mqttPort, tlsPort]: Ports,
  options: NodeOptions,
): Promise<BrokerPlace> {
  const { server, epmd } = installation;
  const amqpUrl = `amqp://guest:guest@127.0.0.1:${port}`;
  const managementUrl = `http://guest:guest@127.0.0.1:${managementPort}`;
  const { member } = options;
  const epmdPort = member?.epmdPort ?? freeEpmdPort;
  const folderOf = (number: number) => join(tmpdir(), `${member?.cluster}-${number}`);
  const folder = member ? folderOf(member.number) : join(tmpdir(), `rabbitmq-${randomUUID().slice(0, 8)}`);

  const tls = options.tls && tlsConfiguration(options.tls, `127.0.0.1:${tlsPort}`, folder);

  const nameOf = (number: number | string) => `rabbit${number}@localhost`;
  const nodeName = nameOf(member?.number ?? "");
  const loopback = "-kernel inet_dist_use_interface {127,0,0,1}";
  const env = {
    PATH: searchPath().join(delimiter),
    LANG: "C.UTF-8",
    // Where Erlang makes the cookie, by which nodes know each other.
    HOME: member ? folderOf(1) : folder,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    // Erlang would start an epmd that outlives the node, wherever ours doesn't answer.
    ERL_FLAGS: "-start_epmd false",
    // The script then becomes the node, instead of waiting for it: one process to kill.
    RUNNING_UNDER_SYSTEMD: "true",
    RABBITMQ_NODENAME: nodeName,
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: join(folder, "data"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_LOGS: "-",
    RABBITMQ_PID_FILE: join(folder, "pid"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "enabled_plugins"),
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    RABBITMQ_CONFIG_FILES: join(folder, "conf.d", "*.conf"),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, "advanced.config"),
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: loopback,
    // Boots in 1.6 s instead of 3.5 s.
    RABBITMQ_SCHEDULER_BUSY_WAIT_THRESHOLD: "short",
  };
  const keeper = keep({
    folder,
    programs: [
      // A cluster's nodes have one.
      ...(member && member.number > 1
        ? []
        : [{ command: epmd, args: ["-address", "127.0.0.1", "-port", String(epmdPort)], until: epmdPort }]),
      { command: server, args: [] },
    ],
    files: {
      enabled_plugins: enabledPlugins(options),
      ...tls?.files,
      "rabbitmq.conf": [
        `listeners.tcp.1 = 127.0.0.1:${port}`,
        "management.tcp.ip = 127.0.0.1",
        `management.tcp.port = ${managementPort}`,
        ...(options.mqtt ? [`mqtt.listeners.tcp.1 = 127.0.0.1:${mqttPort}`] : []),
        ...(tls?.lines ?? []),
        ...(member ? clusterFormation(member, nameOf) : []),
        statistics,
        "",
      ].join("\n"),
    },
    env,
  });

  // Its keeper makes it.
  const readLog = () => readFile(join(folder, "output.log"), "utf8").catch(() => "");

  async function start(giveUp?: AbortSignal) {
    const exited = new AbortController();
    const onMessage = ({ exited: why, log }: { exited?: string; log?: string }) => {
      if (why !== undefined) exited.abort(new Error(`RabbitMQ did not start: ${why}\n${excerpt(log ?? "")}`));
    };
    keeper.process.on("message", onMessage);
    keeper.process.once("exit", () => exited.abort(new Error("the broker has been stopped")));
    const earlier = (await readLog()).length;
    const log = async () => (await readLog()).slice(earlier);
    try {
      await keeper.tell("start");
      return await ready({ amqpUrl, managementUrl, log }, exited.signal, giveUp);
    } finally {
      keeper.process.off("message", onMessage);
    }
  }

  async function evaluate(expression: string): Promise<void> {
    const rabbitmqctl = join(dirname(server), "rabbitmqctl");
    await promisify(execFile)(rabbitmqctl, ["--node", nodeName, "eval", expression], { env });
  }

  try {
    const version = await start(options.signal);
    return {
      nodeName,
      amqpUrl,
      managementUrl,
      ...(options.mqtt ? { mqttUrl: `mqtt://guest:guest@127.0.0.1:${mqttPort}` } : {}),
      ...(tls ? { amqpsUrl: `amqps://localhost:${tlsPort}` } : {}),
      version,
      identity: identityOf(installation),
      description: `RabbitMQ ${version}, a private node on this machine`,
      settle: () => evaluate(syncTables),
      memoryAlarm: (on) => evaluate(setMemoryLimit(on)),
      kill: () => keeper.tell("kill"),
      async start() {
        await start();
      },
      stop: keeper.stop,
    };
  } catch (error) {
    await keeper.stop();
    throw error;
  }
}

/** What a log says of a failure: its errors, else its last lines. */
function excerpt(log: string): string {
  const lines = log.split("\n").filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => /\[error\]|eaddrinuse|already in use/i.test(line));
  const telling = errors.length > 0 ? errors.slice(0, 10) : lines.slice(-5);
  return telling.map((line) => `  ${line.trim().slice(0, 200)}`).join("\n");
}
