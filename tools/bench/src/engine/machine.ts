import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";

/** What a figure depends on, beside the code and the settings. It is kept with every result. */
export interface Environment {
  /** "AMD EPYC 7B13" */
  cpu: string;
  cores: number;
  /** GiB */
  memory: number;
  /** "Linux 6.1.0" */
  os: string;
  /** By name: Node, amqplib, RabbitMQ, and whatever else takes part. */
  versions: Record<string, string>;
}

/**
 * @param brokerVersion RabbitMQ's version.
 * @param more Versions of what else takes part, by name.
 */
export function environment(brokerVersion: string, more: Record<string, string> = {}): Environment {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model.trim() ?? "unknown processor",
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    versions: {
      Node: process.versions.node,
      amqplib: packageVersion("amqplib"),
      RabbitMQ: brokerVersion,
      ...more,
    },
  };
}

/**
 * The version of a package that this one depends on.
 *
 * @param name The package's.
 */
export function packageVersion(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  const folder = entry.slice(0, entry.lastIndexOf(join("node_modules", name)));
  return JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).version;
}

/** The same for people, in two lines. */
export function describeEnvironment({ cpu, cores, memory, os, versions }: Environment): string {
  return [
    `Machine:  ${cpu}, ${cores} cores, ${memory} GiB, ${os}`,
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}`,
  ].join("\n");
}
