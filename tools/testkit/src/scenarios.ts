import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Broker,
  freeClusterUrl,
  freePorts,
  managementOfCluster,
  startBroker,
  type VirtualHost,
} from "broker";
import {
  type Block,
  compareTopologies,
  type PlayOptions,
  play,
  readDiagram,
  readersEnvironment,
  readReadme,
  readTopology,
} from "stage";
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "./compile.ts";
import { readScript } from "./fixtures.ts";

/** Where a page may start a broker of its own, beside those of other pages: for MQTT, for AMQP over TLS, or a cluster. */
async function ownBrokers() {
  const [mqtt, amqps] = await freePorts(2);
  return {
    MQTT_URL: `mqtt://127.0.0.1:${mqtt}`,
    AMQPS_URL: `amqps://localhost:${amqps}`,
    CLUSTER_URL: await freeClusterUrl(),
  };
}

const environment = (
  { amqpUrl, managementUrl }: VirtualHost,
  own: Awaited<ReturnType<typeof ownBrokers>>,
): NodeJS.ProcessEnv =>
  readersEnvironment({ AMQP_URL: amqpUrl, RABBITMQ_MANAGEMENT_URL: managementUrl, ...own });

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The package whose tests run: its folder, from the root, and a command that starts one of its scripts. */
const folder = relative(root, process.cwd());
const ofThisPackage = new RegExp(`^pnpm --filter ${basename(folder)} (\\S+)(.*)$`);

/**
 * Tests a package's README, or another page: each scenario is played, in the order of the page and in a virtual host of
 * their own, and what the terminals show is compared with it. The diagram is compared with what the broker holds at the
 * end of the first scenario.
 *
 * @param folder The package's folder.
 * @param page The page's file in it.
 * @throws When the page has a block that can't be played or a diagram that can't be read.
 */
export function scenarios(folder: string = process.cwd(), page = "README.md"): void {
  const readme = readReadme(join(folder, page));
  const drawn = readme.diagram && readDiagram(readme.diagram);
  let broker: Broker;
  let virtualHost: VirtualHost;
  let topology: { drawn: string[]; real: string[] } | undefined;
  const commandOf = quickerAgain();

  describe(page, () => {
    beforeAll(async () => {
      broker = await startBroker();
      virtualHost = await broker.createVirtualHost();
      return () => virtualHost.delete();
    });

    /** What a failed try has left in the queues is gone, and what the earlier scenarios had left is there again. */
    const beginAgain = async (index: number, options: Omit<PlayOptions, "env">) => {
      await virtualHost.delete();
      virtualHost = await broker.createVirtualHost();
      const env = environment(virtualHost, await ownBrokers());
      for (const scenario of readme.scenarios.slice(0, index)) await play(scenario, { ...options, env });
    };

    // ms; a bound like the play's patience
    for (const [index, scenario] of readme.scenarios.entries())
      test(scenario.heading, { timeout: 180_000 }, async ({ signal, task }) => {
        // ms; a page may start three nodes
        const options = { cwd: root, commandOf, signal, patience: 45_000 };
        if (task.result?.retryCount) await beginAgain(index, options);
        const own = await ownBrokers();
        const performances = await play(scenario, {
          ...options,
          env: environment(virtualHost, own),
          async beforeClose() {
            if (index > 0 || !drawn) return;
            const cluster = await managementOfCluster(own.CLUSTER_URL);
            const real = cluster
              ? await readTopology(cluster, "/")
              : await readTopology(broker.management, virtualHost.name);
            topology = compareTopologies(drawn, real);
          },
        });
        const differences = performances.flatMap(({ block, difference }) =>
          difference ? [`${page}:${block.line} (- the page, + the terminal)`, ...difference] : [],
        );
        if (differences.length > 0) throw new Error(differences.join("\n"));
      });

    if (drawn)
      test("the diagram shows what the broker holds", () => {
        if (!topology)
          throw new Error("The first scenario did not get to its end, so there was nothing to see.");
        expect(topology.real).toEqual(topology.drawn);
      });
  });
}

/**
 * Says how a page's commands are started: each script of this package as it is printed the first time, and then as `run`
 * starts it. pnpm and tsx take three times as much CPU time as the script. The tests of tools/live start each command of
 * each page as it is printed.
 */
function quickerAgain() {
  const started = new Set<string>();
  return ({ command }: Block): string => {
    const [, script = "", words = ""] = ofThisPackage.exec(command) ?? [];
    const { name, source } = readScript(script);
    const file = source && started.has(script) && compile(source);
    started.add(script);
    if (!file) return command;
    return `cd ${folder} && npm_package_name=${name} npm_lifecycle_event=${script} node ${file}${words}`;
  };
}
