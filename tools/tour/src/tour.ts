import { type Broker, freeClusterUrl, freePorts } from "broker";
import { type Group, play, type Readme, readersEnvironment, type Scenario, type StageEvent } from "stage";
import { cast, waits } from "./actors.ts";
import type { Screen } from "./screen.ts";

/** Where and for whom a tour takes place. */
export interface Tour {
  /** The repository's root. */
  root: string;
  broker: Broker;
  screen: Screen;
  /** Ends the tour. */
  signal: AbortSignal;
}

/** A page, and the chapter of the catalogue that it belongs to. */
export interface Page {
  group: Group;
  readme: Readme;
}

/**
 * Plays the pages of patterns, each in a virtual host of its own, and shows what happens.
 *
 * @param pages Their pages, in this order. Where they are of several chapters, each chapter has a heading.
 * @returns How many scenarios were not as their pages say.
 * @throws The reason of `signal`.
 */
export async function playPages(pages: Page[], tour: Tour): Promise<number> {
  const { broker, screen, signal } = tour;
  let [played, wrong] = [0, 0];
  const groups = new Set(pages.map(({ group }) => group));
  for (const [index, { group, readme }] of pages.entries()) {
    signal.throwIfAborted();
    screen.line();
    if (groups.size > 1 && group !== pages[index - 1]?.group) {
      screen.line(screen.style(["bold", "underline"], `${group.number}. ${group.name}`));
      screen.line();
    }
    const place = pages.length > 1 ? ` (${index + 1} of ${pages.length})` : "";
    screen.line(screen.style(["bold", "inverse"], ` ${readme.title} `) + screen.style("dim", place));
    screen.paragraph(readme.summary);
    const virtualHost = await broker.createVirtualHost();
    try {
      for (const scenario of readme.scenarios) {
        played++;
        if (!(await playScenario(scenario, virtualHost.amqpUrl, tour))) wrong++;
      }
    } finally {
      await virtualHost.delete();
    }
  }
  screen.line();
  if (wrong > 0)
    screen.line(screen.style("red", `${wrong} of ${played} scenarios were not as their pages say.`));
  else
    farewell(
      pages.map(({ readme }) => readme),
      played,
      screen,
    );
  return wrong;
}

async function playScenario(
  scenario: Scenario,
  amqpUrl: string,
  { root, broker, screen, signal }: Tour,
): Promise<boolean> {
  screen.line();
  screen.line(screen.style("bold", scenario.heading));
  const actors = cast(scenario);
  const on = (event: StageEvent) => {
    if (event.type === "narration") {
      screen.line();
      screen.paragraph(event.text);
      return;
    }
    const said = inWords(event);
    if (said === undefined) return;
    const { label, style } = actors.get(event.block) ?? { label: "", style: "reset" };
    screen.line(
      `${screen.style(style, `${label} │`)} ${event.type === "line" ? said : screen.style("bold", said)}`,
    );
  };

  screen.waiting();
  let performances: Awaited<ReturnType<typeof play>>;
  try {
    // A page that starts a broker of its own, for MQTT or for TLS, or a cluster, minds nobody else's.
    const [mqtt, amqps] = await freePorts(2);
    performances = await play(scenario, {
      cwd: root,
      env: readersEnvironment({
        AMQP_URL: amqpUrl,
        RABBITMQ_MANAGEMENT_URL: broker.managementUrl,
        MQTT_URL: `mqtt://127.0.0.1:${mqtt}`,
        AMQPS_URL: `amqps://localhost:${amqps}`,
        CLUSTER_URL: await freeClusterUrl(),
      }),
      on,
      signal,
      // ms; a page may start three nodes
      patience: 45_000,
    });
  } finally {
    screen.done();
  }

  const differences = performances.flatMap(({ difference }) => difference ?? []);
  screen.line();
  if (differences.length === 0) screen.line(screen.style("green", "✓ Every line as the page says."));
  else screen.line(screen.style("red", "✗ Not what the page says (- the page, + the terminal):"));
  for (const line of differences) screen.line(/^[-+]/.test(line) ? screen.style("red", line) : line);
  return differences.length === 0;
}

/** What a reader would see in the terminal, as far as the tour shows it. */
function inWords(event: StageEvent): string | undefined {
  if (event.type === "opened") return `$ ${event.block.command}`;
  if (event.type === "line") return event.text;
  if (event.type === "typed") return `> ${event.text}`;
  if (event.type === "pressed") return event.key;
  return undefined;
}

function farewell(readmes: Readme[], played: number, screen: Screen): void {
  const pages = readmes.length === 1 ? "1 pattern" : `${readmes.length} patterns`;
  screen.line(screen.style("green", `✓ ${pages}, ${played} scenarios: all as their pages say.`));
  const blocks = readmes[0]?.scenarios[0]?.blocks ?? [];
  const examples = [blocks.find(waits), blocks.find((block) => !waits(block))];
  screen.line();
  screen.line("Now by hand. Start a broker, with Docker or without:");
  screen.line("  docker compose up -d --wait");
  screen.line("  pnpm broker");
  screen.line("and try, in two more terminals:");
  for (const block of examples) if (block) screen.line(`  ${block.command}`);
  const { TOUR_PNPM_HINT } = process.env;
  if (TOUR_PNPM_HINT) {
    screen.line("Your shell doesn't find pnpm yet. This puts it there:");
    screen.line(`  ${TOUR_PNPM_HINT}`);
  }
}
