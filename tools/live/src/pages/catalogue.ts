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

/** The page of a broker that is only watched: no pattern, but a lesson of its own. */
export const WATCH = "watch";

/** Where a pattern's lesson and scripts are. */
export const folderOf = (root: string, pattern: string): string =>
  pattern === WATCH ? join(root, "tools/live/watch") : join(root, "examples", pattern);

/**
 * The patterns, in the order of the repository's README.
 *
 * @param root The repository's root.
 * @param broker Where they are played.
 * @param watches Whether there is only the page of what happens on the broker by itself.
 * @throws When a README can't be read.
 */
export function makeCatalogue(root: string, broker: Broker, watches: boolean): Catalogue {
  const groups = watches
    ? [{ name: "Your broker", patterns: [{ name: WATCH, use: "" }] }]
    : readCatalogue(join(root, "README.md")).map(({ number, name, patterns }) => ({
        name: `${number}. ${name}`,
        patterns,
      }));
  return {
    broker: broker.description,
    canRestart: canRestart(broker) && !watches,
    groups: groups.map(({ name, patterns }) => ({
      name,
      patterns: patterns.map((pattern) => patternOf(root, pattern)),
    })),
  };
}

/** Whether a broker is ours: the name of the node is unknown of one that was found by AMQP_URL. */
export const canRestart = ({ nodeName }: Broker): boolean => nodeName !== undefined;

function patternOf(root: string, { name, use }: { name: string; use: string }): Pattern {
  const folder = folderOf(root, name);
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
