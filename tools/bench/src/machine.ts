import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";

/**
 * What a figure depends on, beside the code: it is printed above every result.
 *
 * @param broker The broker's version.
 */
export function machine(broker: string): string {
  const [cpu] = cpus();
  const amqplib = createRequire(import.meta.url).resolve("amqplib");
  const { version } = JSON.parse(readFileSync(join(amqplib, "../package.json"), "utf8"));
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `Machine:  ${cpu?.model.trim() ?? "unknown processor"}, ${cpus().length} cores, ${memory} GiB, ${type()} ${release()}`,
    `Versions: Node ${process.versions.node}, amqplib ${version}, RabbitMQ ${broker}`,
  ].join("\n");
}
