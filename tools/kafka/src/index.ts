import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Admin } from "@platformatic/kafka";
import { findEngine, type Keepsake, keep, onPorts } from "broker";

const execute = promisify(execFile);

/** The one that is started. docker-compose.yml names the same. */
const kafkaVersion = "4.1.1";
const image = `apache/kafka:${kafkaVersion}`;

export interface KafkaOptions {
  /** Hears, a line at a time, what is tried, why it fails, and what takes a while. */
  say?: (line: string) => void;
  /** Gives up: what has been started is ended, and the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** A running Kafka. */
export interface Kafka {
  /** "127.0.0.1:9092" */
  brokers: string[];
  /** "4.1.1", or "at KAFKA_BROKERS" */
  version: string;
  /** For people: "Kafka 4.1.1, a private node on this machine". */
  description: string;
  /** Ends it and removes its data. Does nothing to one that was found by KAFKA_BROKERS. */
  stop(): Promise<void>;
}

/** This machine has nothing that could run Kafka. The message names what was looked for, and what to install. */
export class NoKafkaError extends Error {}

interface KafkaWay {
  name: string;
  /** Rejects with the reason, in one line, when this machine lacks what the way needs. */
  find(options: KafkaOptions): Promise<unknown>;
  start(options: KafkaOptions): Promise<Kafka>;
}

const byAddress: KafkaWay = {
  name: "KAFKA_BROKERS",
  find: async () => {},
  async start({ signal }) {
    const brokers = (process.env.KAFKA_BROKERS ?? "").split(",").map((broker) => broker.trim());
    await answers(brokers, 5_000, signal);
    return {
      brokers,
      version: "at KAFKA_BROKERS",
      description: `the Kafka at KAFKA_BROKERS, ${brokers.join()}`,
      stop: async () => {},
    };
  },
};

const docker: KafkaWay = {
  name: "Docker",
  async find({ say, signal }) {
    await execute("docker", ["version"], { timeout: 5_000 }).catch(() => {
      throw new Error("no engine answers `docker version`");
    });
    if (await succeeds(execute("docker", ["image", "inspect", image]))) return;
    say?.(`Pulling ${image} …`);
    await execute("docker", ["pull", "--quiet", image], { signal }).catch(() => {
      throw new Error(`${image} could not be pulled`);
    });
  },
  async start(options) {
    options.say?.(`Starting ${image} in Docker …`);
    const name = `kafka-${randomUUID().slice(0, 8)}`;
    return onPorts([undefined], ([port = 0]) => {
      const settings = serverProperties({ port, inside: "0.0.0.0:9092", data: "/tmp/kafka" });
      const variables = Object.entries(settings).flatMap(([key, value]) => [
        "--env",
        `KAFKA_${key.toUpperCase().replaceAll(".", "_")}=${value}`,
      ]);
      const ports = ["--publish", `127.0.0.1:${port}:9092`];
      const task = {
        programs: [{ command: "docker", args: ["run", "--name", name, ...ports, ...variables, image] }],
        container: { engine: findEngine(), name },
      };
      return run(task, port, `Kafka ${kafkaVersion} in Docker (${image})`, options);
    });
  },
};

const jars: KafkaWay = {
  name: "Java and Maven",
  async find() {
    await findJava();
    await execute(maven, ["--version"]).catch(() => {
      throw new Error("Maven is not installed");
    });
  },
  async start(options) {
    const java = await findJava();
    const folder = await fetchJars(options);
    options.say?.(`Starting Kafka ${kafkaVersion} on this machine …`);
    return onPorts([undefined, undefined], ([port = 0, controllerPort = 0]) => {
      const inside = `127.0.0.1:${port}`;
      const settings = serverProperties({ port, inside, controllerPort, data: "data" });
      const classes = ["-cp", join(folder, "*")];
      const storage = ["kafka.tools.StorageTool", "format", "--config", "server.properties"];
      const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
      const task = {
        files: { "server.properties": lines.join("") },
        programs: [
          {
            command: java,
            args: [...classes, ...storage, "--cluster-id", "AAAAAAAAAAAAAAAAAAAAAQ"],
            until: "exit" as const,
          },
          { command: java, args: [...classes, ...heap, "kafka.Kafka", "server.properties"] },
        ],
      };
      return run(task, port, `Kafka ${kafkaVersion}, a private node on this machine`, options);
    });
  },
};

/** The same as in Kafka's own kafka-server-start.sh and kafka-run-class.sh. */
const heap =
  "-Xms1G -Xmx1G -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true".split(
    " ",
  );

/**
 * Settings of a single node that is broker and controller. What isn't named here is Kafka's default, except for what
 * only one node can do (replication factors), and for how long, in ms, the first member of a group waits for others.
 */
const serverProperties = ({
  port,
  inside,
  controllerPort = 9093,
  data,
}: {
  port: number;
  inside: string;
  controllerPort?: number;
  data: string;
}): Record<string, string | number> => ({
  "node.id": 1,
  "process.roles": "broker,controller",
  "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
  "controller.listener.names": "CONTROLLER",
  listeners: `PLAINTEXT://${inside},CONTROLLER://127.0.0.1:${controllerPort}`,
  "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
  "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
  "log.dirs": data,
  "offsets.topic.replication.factor": 1,
  "transaction.state.log.replication.factor": 1,
  "transaction.state.log.min.isr": 1,
  "share.coordinator.state.topic.replication.factor": 1,
  "share.coordinator.state.topic.min.isr": 1,
  "group.initial.rebalance.delay.ms": 500,
});

/**
 * Finds or starts a real Kafka: the one at KAFKA_BROKERS, else `apache/kafka` in Docker, else the broker's jars, which
 * Maven fetches into node_modules/.cache, run by this machine's Java. The variable BROKER chooses as for RabbitMQ:
 * "docker" or "native". When one way fails, its reason is printed and the next one is tried.
 *
 * A Kafka that it started has one node, ports on 127.0.0.1 only and throw-away data. It ends with `stop()`, or with this
 * process, whatever ends that.
 *
 * @returns Kafka, answering.
 * @throws {NoKafkaError} When this machine has none of these.
 * @throws When it has one and that doesn't start, with the reason; or with the signal's reason.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const { BROKER: kind, KAFKA_BROKERS: address } = process.env;
  const ways = address
    ? [byAddress]
    : kind === "native"
      ? [jars]
      : kind === "docker"
        ? [docker]
        : [docker, jars];
  const reasons: string[] = [];
  let found = false;
  for (const way of ways) {
    let isHere = false;
    try {
      await way.find(options);
      isHere = true;
      const kafka = await way.start(options);
      options.say?.(`Kafka: ${kafka.description}.`);
      return kafka;
    } catch (error) {
      options.signal?.throwIfAborted();
      found ||= isHere;
      const reason = `${way.name}: ${(error as Error).message}`;
      reasons.push(reason);
      // A node that didn't start has its log in the lines below.
      options.say?.(reason.split("\n", 1)[0] as string);
    }
  }
  if (found) throw new Error(["Kafka could not be started.", ...reasons].join("\n"));
  throw new NoKafkaError(["No Kafka here, and nothing to start one with.", ...reasons, help].join("\n"));
}

const help = `Get one of these, and try again:
  Docker   docker compose --profile kafka up -d, then set KAFKA_BROKERS=127.0.0.1:9092
  Java     17 or newer, and Maven`;

/** Starts Kafka, and waits until it answers. */
async function run(
  task: Keepsake,
  port: number,
  description: string,
  { signal }: KafkaOptions,
): Promise<Kafka> {
  const brokers = [`127.0.0.1:${port}`];
  const folder = join(tmpdir(), `kafka-${randomUUID().slice(0, 8)}`);
  const keeper = keep({ ...task, folder, env: environment() });
  const exited = new AbortController();
  keeper.process.on("message", ({ exited: why, log }: { exited?: string; log?: string }) => {
    if (why !== undefined) exited.abort(new Error(`${why}\n${log?.slice(-4_000)}`));
  });
  try {
    await keeper.tell("start");
    // A bound for machines under heavy load
    await answers(brokers, 120_000, AbortSignal.any([exited.signal, ...(signal ? [signal] : [])]));
    return { brokers, version: kafkaVersion, description, stop: keeper.stop };
  } catch (error) {
    await keeper.stop();
    throw error;
  }
}

/** What Docker's client and Java need. */
const environment = (): Record<string, string> => ({
  PATH: process.env.PATH ?? "",
  HOME: homedir(),
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[0].startsWith("DOCKER_") && entry[1] !== undefined,
    ),
  ),
});

/** Waits until Kafka answers a client. */
async function answers(
  brokers: string[],
  within: number,
  signal = new AbortController().signal,
): Promise<void> {
  const deadline = AbortSignal.timeout(within);
  for (;;) {
    signal.throwIfAborted();
    const admin = new Admin({
      clientId: "bench",
      bootstrapBrokers: brokers,
      retries: 0,
      connectTimeout: 1_000,
    });
    try {
      await admin.listTopics();
      return;
    } catch (error) {
      const { message } = error as Error;
      if (deadline.aborted)
        throw new Error(`${brokers.join()} didn't answer within ${within / 1000} s: ${message}`);
      // ms between two attempts
      await setTimeout(100);
    } finally {
      await admin.close();
    }
  }
}

async function findJava(): Promise<string> {
  const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, "bin", "java") : "java";
  const { stderr } = await execute(java, ["-version"]).catch(() => ({ stderr: "" }));
  const version = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
  if (version === 0) throw new Error("Java is not installed: 17 or newer is needed");
  if (version < 17) throw new Error(`Java is ${version}: 17 or newer is needed`);
  return java;
}

const maven = process.platform === "win32" ? "mvn.cmd" : "mvn";

/** @returns The folder that holds the broker's jars. */
async function fetchJars({ say, signal }: KafkaOptions): Promise<string> {
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const cache = here("../node_modules/.cache");
  const folder = join(cache, `kafka-${kafkaVersion}`);
  if (await succeeds(access(folder))) return folder;
  // Renamed when it is complete.
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(cache, { recursive: true });
  say?.(`Fetching Kafka ${kafkaVersion} by Maven, some 45 MB …`);
  try {
    await execute(
      maven,
      [
        ...[
          "--batch-mode",
          "--no-transfer-progress",
          "--file",
          here("../pom.xml"),
          `-Dkafka=${kafkaVersion}`,
        ],
        "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
        ...["-DincludeScope=runtime", `-DoutputDirectory=${unfinished}`],
      ],
      { signal },
    );
    await rename(unfinished, folder);
    return folder;
  } catch (error) {
    const { code, stdout = "" } = error as NodeJS.ErrnoException & { stdout?: string };
    throw new Error(`Maven failed: ${stdout.split("\n").find((line) => line.startsWith("[ERROR]")) ?? code}`);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

const succeeds = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => true,
    () => false,
  );
