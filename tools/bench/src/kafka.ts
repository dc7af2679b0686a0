import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Admin } from "@platformatic/kafka";
import { onPorts, startKeeper } from "broker";

const execute = promisify(execFile);

/** The one that is started. docker-compose.yml names the same. */
export const kafkaVersion = "4.1.1";
const image = `apache/kafka:${kafkaVersion}`;

export interface KafkaOptions {
  /** Only what this machine has already: nothing is downloaded. */
  offline?: boolean;
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

/** What kafka-keeper.mjs is told. */
export interface Keepsake {
  /** Its home and data, made at first and removed at last. */
  folder: string;
  /** The files in it, by name. */
  files: Record<string, string>;
  /** Run one after another. The last one is the broker. */
  commands: string[][];
  /** Run at the end. May be empty. */
  cleanUp: string[];
  env: Record<string, string>;
}

interface Way {
  name: string;
  start(options: KafkaOptions): Promise<Kafka>;
}

const byAddress: Way = {
  name: "KAFKA_BROKERS",
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

const docker: Way = {
  name: "Docker",
  async start(options) {
    await needDocker(options);
    options.say?.(`Starting ${image} in Docker …`);
    const name = `kafka-${randomUUID().slice(0, 8)}`;
    return onPorts([undefined], ([port]) => {
      const settings = serverProperties({ port: port as number, inside: "0.0.0.0:9092", data: "/tmp/kafka" });
      const variables = Object.entries(settings).flatMap(([key, value]) => [
        "--env",
        `KAFKA_${key.toUpperCase().replaceAll(".", "_")}=${value}`,
      ]);
      const ports = ["--publish", `127.0.0.1:${port}:9092`];
      return keep(
        {
          files: {},
          commands: [["docker", "run", "--rm", "--name", name, ...ports, ...variables, image]],
          cleanUp: ["docker", "rm", "--force", "--volumes", name],
        },
        port as number,
        `Kafka ${kafkaVersion} in Docker (${image})`,
        options,
      );
    });
  },
};

const jars: Way = {
  name: "Java and Maven",
  async start(options) {
    const java = await findJava();
    const folder = await fetchJars(options);
    options.say?.(`Starting Kafka ${kafkaVersion} on this machine …`);
    return onPorts([undefined, undefined], ([port, controllerPort]) => {
      const settings = serverProperties({
        port: port as number,
        inside: `127.0.0.1:${port}`,
        controllerPort: controllerPort as number,
        data: "data",
      });
      const run = [java, "-cp", join(folder, "*")];
      const storage = ["kafka.tools.StorageTool", "format", "--config", "server.properties"];
      return keep(
        {
          files: {
            "server.properties": Object.entries(settings)
              .map(([key, value]) => `${key}=${value}\n`)
              .join(""),
          },
          commands: [
            [...run, ...storage, "--cluster-id", "AAAAAAAAAAAAAAAAAAAAAQ"],
            [...run, ...heap, "kafka.Kafka", "server.properties"],
          ],
          cleanUp: [],
        },
        port as number,
        `Kafka ${kafkaVersion}, a private node on this machine`,
        options,
      );
    });
  },
};

/** As Kafka's own kafka-server-start.sh and kafka-run-class.sh have them. */
const heap = [
  ...["-Xms1G", "-Xmx1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"],
  ...[
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
  ],
];

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
 * Maven fetches into node_modules/.cache, run by this machine's Java. A way that fails is said, and the next one tried.
 *
 * A Kafka that it started has one node, ports on 127.0.0.1 only and throw-away data. It ends with `stop()`, or with this
 * process, by whatever cause that ends.
 *
 * @returns Kafka, answering.
 * @throws When there is none, with what was tried and what to install; or with the signal's reason.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const reasons: string[] = [];
  for (const way of process.env.KAFKA_BROKERS ? [byAddress] : [docker, jars]) {
    try {
      const kafka = await way.start(options);
      options.say?.(`Kafka: ${kafka.description}.`);
      return kafka;
    } catch (error) {
      options.signal?.throwIfAborted();
      const reason = `${way.name}: ${(error as Error).message}`;
      reasons.push(reason);
      // A node that didn't start has its log in the lines below.
      options.say?.(reason.split("\n", 1)[0] as string);
    }
  }
  throw new Error(["No Kafka here, and none could be started.", ...reasons, help].join("\n"));
}

const help = `Get one of these, and try again:
  Docker   docker compose --profile kafka up -d, then set KAFKA_BROKERS=127.0.0.1:9092
  Java     17 or newer, and Maven`;

async function keep(
  task: Omit<Keepsake, "folder" | "env">,
  port: number,
  description: string,
  { signal }: KafkaOptions,
): Promise<Kafka> {
  const brokers = [`127.0.0.1:${port}`];
  const keeper = startKeeper(new URL("kafka-keeper.mjs", import.meta.url).href, {
    ...task,
    folder: join(tmpdir(), `kafka-${randomUUID().slice(0, 8)}`),
    env: environment(),
  } satisfies Keepsake);
  const exited = new AbortController();
  keeper.process.on("message", ({ exited: why }: { exited: string }) => exited.abort(new Error(why)));
  keeper.process.send("start");
  try {
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
      if (deadline.aborted)
        throw new Error(
          `${brokers.join()} didn't answer within ${within / 1000} s: ${(error as Error).message}`,
        );
      // ms between two attempts
      await setTimeout(100);
    } finally {
      await admin.close();
    }
  }
}

async function needDocker({ offline = false, say, signal }: KafkaOptions): Promise<void> {
  try {
    await execute("docker", ["version"], { timeout: 5_000 });
  } catch {
    throw new Error("no engine answers `docker version`");
  }
  if (await succeeds(execute("docker", ["image", "inspect", image]))) return;
  if (offline) throw new Error(`the image ${image} is not here`);
  say?.(`Pulling ${image} …`);
  try {
    await execute("docker", ["pull", "--quiet", image], { signal });
  } catch {
    throw new Error(`${image} could not be pulled`);
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

/** @returns The folder that holds the broker's jars. */
async function fetchJars({ offline = false, say, signal }: KafkaOptions): Promise<string> {
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const cache = here("../node_modules/.cache");
  const folder = join(cache, `kafka-${kafkaVersion}`);
  if (await succeeds(access(folder))) return folder;
  // Whole, or not at all
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(cache, { recursive: true });
  say?.(`Gathering Kafka ${kafkaVersion} by Maven${offline ? "" : ", some 45 MB"} …`);
  try {
    await execute(
      process.platform === "win32" ? "mvn.cmd" : "mvn",
      [
        ...["--batch-mode", "--no-transfer-progress", ...(offline ? ["--offline"] : [])],
        ...["--file", here("../kafka/pom.xml"), `-Dkafka=${kafkaVersion}`],
        "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
        ...["-DincludeScope=runtime", `-DoutputDirectory=${unfinished}`],
      ],
      { signal },
    );
    await rename(unfinished, folder);
    return folder;
  } catch (error) {
    const { code, stdout = "" } = error as NodeJS.ErrnoException & { stdout?: string };
    if (code === "ENOENT") throw new Error("Maven is not installed");
    if (offline) throw new Error(`Maven doesn't have Kafka ${kafkaVersion} here`);
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
