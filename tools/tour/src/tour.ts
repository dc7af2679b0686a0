import { type Broker, freeClusterUrl, freePorts } from "broker";
import { type Block, type Group, play, type Readme, readersEnvironment, type Scenario } from "stage";
import { waits } from "./actors.ts";
import type { Reader } from "./reader.ts";
import { Scene } from "./scene.ts";
import type { Screen } from "./screen.ts";
import { findSource } from "./source.ts";

/** Where and for whom a tour takes place. */
export interface Tour {
  /** The repository's root. */
  root: string;
  broker: Broker;
  screen: Screen;
  /** Decides when it goes on. Without one, it plays by itself. */
  reader?: Reader | undefined;
  /** Where it begins, by default at the beginning. */
  from?: Place | undefined;
  /** Hears where the reader is, before each step. */
  reached?: ((place: Place) => void) | undefined;
  /** Ends the tour. */
  signal: AbortSignal;
}

/** A step of a tour: before it, the tour waits for its reader. */
export interface Place {
  /** The page's index. */
  page: number;
  /** The block's index among those of all of the page's scenarios. */
  step: number;
}

/** A page, and the chapter of the catalogue that it belongs to. */
export interface Page {
  name: string;
  group: Group;
  readme: Readme;
}

/** What has been played to its end. */
export interface Outcome {
  pages: Page[];
  scenarios: number;
  /** How many scenarios were not as their pages say. */
  wrong: number;
}

/** The reader goes elsewhere. */
class Jump extends Error {
  readonly to: Place;
  constructor(to: Place) {
    super("The reader went to another step.");
    this.to = to;
  }
}

/**
 * Plays the pages of patterns, each in a virtual host of its own, and shows what happens.
 *
 * A reader may go back. What a broker has done can't be undone, so the page then plays again from its start, up to the
 * step that the reader wants to see, without stopping.
 *
 * @param pages Their pages, in this order. Where they are of several chapters, each chapter has a heading.
 * @throws The reason of `signal`.
 */
export async function playPages(pages: Page[], tour: Tour): Promise<Outcome> {
  const verdicts = new Map<Scenario, boolean>();
  let place = tour.from ?? { page: 0, step: 0 };
  for (let page = pages[place.page]; page; page = pages[place.page]) {
    tour.signal.throwIfAborted();
    try {
      showTitle(pages, place, tour);
      await playPage(pages, place, verdicts, tour);
      place = await turnTo(pages, place.page + 1, tour);
    } catch (error) {
      if (!(error instanceof Jump)) throw error;
      place = error.to;
    }
  }
  return {
    pages: pages.filter(({ readme }) => readme.scenarios.some((scenario) => verdicts.has(scenario))),
    scenarios: verdicts.size,
    wrong: [...verdicts.values()].filter((right) => !right).length,
  };
}

function showTitle(pages: Page[], { page: index, step }: Place, { screen }: Tour): void {
  const { name, group, readme } = pages[index] as Page;
  screen.line();
  const several = new Set(pages.map((page) => page.group)).size > 1;
  if (several && group !== pages[index - 1]?.group) {
    screen.line(screen.style(["bold", "underline"], `${group.number}. ${group.name}`));
    screen.line();
  }
  const count = pages.length > 1 ? ` (${index + 1} of ${pages.length})` : "";
  screen.line(screen.style(["bold", "inverse"], ` ${readme.title} `) + screen.style("dim", count));
  screen.paragraph(readme.summary);
  if (step === 0) return;
  screen.line();
  screen.paragraph(
    `A broker can't be rewound. So ${name} plays again from its start, up to step ${step + 1}, in a new virtual host.`,
  );
}

/** Waits for the reader before a page, and returns where to go from here. */
async function turnTo(pages: Page[], index: number, { reader, reached }: Tour): Promise<Place> {
  const place = { page: index, step: 0 };
  const [last, page] = [pages[index - 1] as Page, pages[index]];
  if (!page || !reader) return place;
  reached?.(place);
  const next = `${page.readme.title} (${index + 1} of ${pages.length})`;
  const answer = await reader.stop({ next, canGoBack: true });
  return answer === "back" ? { page: index - 1, step: stepsOf(last.readme).length - 1 } : place;
}

async function playPage(
  pages: Page[],
  from: Place,
  verdicts: Map<Scenario, boolean>,
  tour: Tour,
): Promise<void> {
  const { root, broker, reader, reached, screen } = tour;
  const { readme } = pages[from.page] as Page;
  const steps = stepsOf(readme);
  const stop = async (step: number, next: string, block?: Block) => {
    if (!reader || step < from.step) return;
    const place = { page: from.page, step };
    reached?.(place);
    const source = block && findSource(block.command, root);
    const answer = await reader.stop({ next, source, canGoBack: place.page + step > 0 });
    if (answer === "next") throw new Jump({ page: place.page + 1, step: 0 });
    if (answer === "back") throw new Jump(before(place));
  };
  const virtualHost = await broker.createVirtualHost();
  try {
    for (const scenario of readme.scenarios) {
      const step = steps.indexOf(scenario.blocks[0] as Block);
      if (step > from.step && !hasRoomFor(scenario, screen)) await stop(step, scenario.heading);
      const right = await playScenario(scenario, virtualHost.amqpUrl, tour, async (block, scene) => {
        const step = steps.indexOf(block);
        const what = waits(block)
          ? `opens ${ordinals[scene.open] ?? "one more"} terminal`
          : "runs to its end";
        const next = `${block.command} ${what} (step ${step + 1} of ${steps.length}).`;
        await stop(step, next, block);
      });
      verdicts.set(scenario, right);
    }
  } finally {
    await virtualHost.delete();
  }
}

const ordinals = ["a", "a second", "a third", "a fourth", "a fifth"];

const stepsOf = ({ scenarios }: Readme): Block[] => scenarios.flatMap(({ blocks }) => blocks);

/** The step before a step. Before a page's first step it is the page before it, from its start. */
function before({ page, step }: Place): Place {
  return step > 0 ? { page, step: step - 1 } : { page: page - 1, step: 0 };
}

/** Whether a scenario can begin without scrolling away what the reader has not read yet. */
function hasRoomFor({ blocks: [first] }: Scenario, screen: Screen): boolean {
  const narration = first?.narration.flatMap((paragraph) => ["", ...screen.wrap(paragraph)]) ?? [];
  // Its heading and the prompt, with a row above each.
  return screen.printed + narration.length + 6 <= screen.rows;
}

async function playScenario(
  scenario: Scenario,
  amqpUrl: string,
  { root, broker, screen, signal }: Tour,
  stop: (block: Block, scene: Scene) => Promise<void>,
): Promise<boolean> {
  screen.line();
  screen.line(screen.style("bold", scenario.heading));
  const scene = new Scene(scenario, screen);
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
      on: (event) => scene.on(event),
      beforeOpen: async (block) => {
        screen.done();
        await stop(block, scene);
        scene.settle();
        screen.waiting();
      },
      signal,
      // ms; a page may start three nodes
      patience: 45_000,
    });
  } finally {
    screen.done();
    scene.settle();
  }

  const differences = performances.flatMap(({ difference }) => difference ?? []);
  screen.line();
  if (differences.length === 0) screen.line(screen.style("green", "✓ Every line as the page says."));
  else screen.line(screen.style("red", "✗ Not what the page says (- the page, + the terminal):"));
  for (const line of differences) screen.line(/^[-+]/.test(line) ? screen.style("red", line) : line);
  return differences.length === 0;
}
