import { join } from "node:path";
import type { Broker } from "broker";
import { readCatalogue, readReadme } from "stage";
import type { Catalogue, Pattern } from "../protocol.ts";
import { scriptsOf } from "../session/commands.ts";
import { anchorOf } from "./anchor.ts";

/** What can't be seen of some patterns, and why. */
const unseen: Record<string, string> = {
  mqtt: "MQTT can't be read here: the picture shows what the bridge and the services do over AMQP.",
  tls: "What passes inside TLS can't be read by anybody in between, and so neither by this page: follow it in the terminals.",
  "quorum-failover":
    "While a node is being killed the broker can't tell where messages go: for that moment it is inferred from the bindings.",
};

/**
 * The patterns, in the order of the repository's README.
 *
 * @param root The repository's root.
 * @param broker Where they are played.
 * @throws When a README can't be read.
 */
export function makeCatalogue(root: string, broker: Broker): Catalogue {
  return {
    broker: broker.description,
    canRestart: canRestart(broker),
    groups: readCatalogue(join(root, "README.md")).map(({ number, name, patterns }) => ({
      name: `${number}. ${name}`,
      patterns: patterns.map((pattern) => patternOf(root, pattern)),
    })),
  };
}

/** Whether a broker is ours: the name of the node is unknown of one that was found by AMQP_URL. */
export const canRestart = ({ nodeName }: Broker): boolean => nodeName !== undefined;

function patternOf(root: string, { name, use }: { name: string; use: string }): Pattern {
  const folder = join(root, "examples", name);
  const { title, summary, scenarios } = readReadme(join(folder, "README.md"));
  return {
    name,
    title,
    use,
    summary,
    scenarios: scenarios.map(({ heading, blocks }) => ({
      heading,
      anchor: anchorOf(heading),
      blocks: blocks.map(({ command, narration }) => ({ command, narration })),
    })),
    scripts: [...scriptsOf(folder).keys()],
    ...(unseen[name] === undefined ? {} : { unseen: unseen[name] }),
  };
}
