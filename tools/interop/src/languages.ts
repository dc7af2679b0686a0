import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const peers = fileURLToPath(new URL("../peers", import.meta.url));
const cache = fileURLToPath(new URL("../node_modules/.cache/interop", import.meta.url));

/** A program that speaks as contract.ts says. */
export interface Peer {
  /** One word without dots, which `worker` would take for seconds: "Go". */
  name: string;
  /** "amqp091-go 1.11.0" */
  client: string;
  /** The program and its first arguments, before the role. */
  command: string[];
  /** Whether it leaves it to others to declare the exchanges: over AMQP 1.0, none but durable ones can be declared. */
  needsExchanges?: boolean;
}

/** A language that this machine may have. */
export interface Language {
  name: string;
  /**
   * Installs the client library and builds the peer, both once.
   *
   * @throws {MissingToolchain} When this machine lacks the toolchain.
   * @throws When the toolchain fails, with its last lines.
   */
  prepare(): Promise<Peer>;
}

/** This machine can't run a language. The message is one line that names what is not installed. */
export class MissingToolchain extends Error {
  override readonly name = "MissingToolchain";
}

/** The languages of the peers, in the order of the table. */
export const languages: Language[] = [
  {
    name: "Python",
    async prepare() {
      const folder = await once("python", async (folder) => {
        await run("python3", ["-m", "venv", folder]);
        const requirements = join(peers, "python/requirements.txt");
        await run(join(folder, "bin/python"), [
          ...["-m", "pip", "install", "--quiet", "--disable-pip-version-check"],
          ...["--require-hashes", "--requirement", requirements],
        ]);
      });
      return {
        name: this.name,
        client: "pika 1.4.4",
        command: [join(folder, "bin/python"), join(peers, "python/peer.py")],
      };
    },
  },
  {
    name: "Go",
    async prepare() {
      const program = join(cache, "go/peer");
      await run("go", ["build", "-o", program, "."], {
        cwd: join(peers, "go"),
        env: { GOTOOLCHAIN: "local" },
      });
      return { name: this.name, client: "amqp091-go 1.11.0", command: [program] };
    },
  },
  {
    name: "Java",
    prepare() {
      return java(this.name, "java", "amqp-client 5.34.0");
    },
  },
  {
    name: "Rust",
    async prepare() {
      const folder = join(cache, "rust");
      await run("cargo", ["build", "--release", "--quiet", "--target-dir", folder], {
        cwd: join(peers, "rust"),
      });
      return { name: this.name, client: "lapin 4.12.3", command: [join(folder, "release/peer")] };
    },
  },
  {
    name: "PHP",
    async prepare() {
      const library = "require 'PhpAmqpLib/autoload.php'; echo PhpAmqpLib\\Package::VERSION;";
      const version = await run("php", ["-r", library], { missing: "php-amqplib is not installed" });
      return {
        name: this.name,
        client: `php-amqplib ${version}`,
        command: ["php", join(peers, "php/peer.php")],
      };
    },
  },
  {
    name: "Ruby",
    async prepare() {
      const library = "require 'bunny'; print Bunny::VERSION";
      const version = await run("ruby", ["-e", library], { missing: "bunny is not installed" });
      return { name: this.name, client: `bunny ${version}`, command: ["ruby", join(peers, "ruby/peer.rb")] };
    },
  },
];

/** RabbitMQ 4 also speaks AMQP 1.0, without a plugin. */
export const amqp10: Language = {
  name: "AMQP-1",
  async prepare() {
    return { ...(await java(this.name, "java-amqp10", "AMQP 1.0 Java client 1.4.0")), needsExchanges: true };
  },
};

/** Maven fetches the jars. `javac` compiles the one file: a build by Maven would take plugins and seconds more. */
async function java(name: string, sources: string, client: string): Promise<Peer> {
  const folder = await once(sources, async (folder) => {
    await run("mvn", [
      ...["--batch-mode", "--no-transfer-progress", "--file", join(peers, sources, "pom.xml")],
      ...[
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        `-DoutputDirectory=${join(folder, "jars")}`,
      ],
    ]);
    const source = join(peers, sources, "Peer.java");
    await run("javac", ["-encoding", "UTF-8", "-cp", join(folder, "jars/*"), "-d", folder, source]);
  });
  const classPath = [folder, join(folder, "jars/*")].join(delimiter);
  // A short life is spent better without the optimizing compiler.
  const command = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classPath, "Peer"];
  return { name, client, command };
}

/**
 * Fills a folder, unless it holds what the same sources made of it.
 *
 * @param sources The folder's name, in the cache and among the peers.
 * @param fill Builds in that folder, which is empty.
 * @returns The folder.
 */
async function once(sources: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cache, sources);
  const stamp = join(folder, "sources.sha256");
  const hash = createHash("sha256");
  const from = join(peers, sources);
  for (const file of (await readdir(from)).sort()) hash.update(await readFile(join(from, file)));
  const now = hash.digest("hex");
  if (existsSync(stamp) && (await readFile(stamp, "utf8")) === now) return folder;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await fill(folder);
  await writeFile(stamp, now);
  return folder;
}

interface ProcessOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** What is missing when the program fails. Without it, a failure is one. */
  missing?: string;
}

async function run(
  program: string,
  args: string[],
  { cwd, env, missing }: ProcessOptions = {},
): Promise<string> {
  try {
    // ms; a slow registry is no failure, one that hangs is.
    const options = { cwd, env: { ...process.env, ...env }, timeout: 300_000 };
    return (await execute(program, args, options)).stdout.trim();
  } catch (error) {
    const { code, stdout = "", stderr = "", message } = error as NodeJS.ErrnoException & Output;
    if (code === "ENOENT") throw new MissingToolchain(`${program} is not installed`);
    if (missing !== undefined) throw new MissingToolchain(missing);
    const lines = `${stdout}\n${stderr}`.trim().split("\n").slice(-15);
    throw new Error([`${program} failed: ${message.split("\n", 1)[0]}`, ...lines].join("\n"));
  }
}

interface Output {
  stdout?: string;
  stderr?: string;
}
