import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page, Route } from "playwright-core";
import { bundlePage } from "../src/pages/bundle.ts";
import { codeCss } from "../src/pages/source.ts";
import type { Catalogue, Sent } from "../src/protocol.ts";

const web = fileURLToPath(new URL("../web/", import.meta.url));
const origin = "http://film.localhost";

/** How large the film is, in pixels. */
const frame = { width: 1000, height: 540 };
/** Frames a second. */
export const RATE = 15;
/** No film has so many frames: then it doesn't end. */
const MOST = 2000;

/**
 * Films the page while it shows a recording.
 *
 * Nothing runs by the clock: each animation is paused when it begins and moved on by hand from one frame to the next, so
 * that the same recording gives the same frames, byte for byte, in the same browser with the same fonts.
 *
 * @param recording Of `record`.
 * @returns The frames, as PNG. The film begins with the step in which the first message is published.
 */
export async function film(browser: Browser, pattern: string, recording: Sent[]): Promise<Buffer[]> {
  const [before, ...scenes] = scenesOf(recording);
  const page = await browser.newPage({ viewport: frame, colorScheme: "light" });
  const stage = await Stage.build(page, before ?? []);
  await page.addInitScript(holdAnimations);
  await page.goto(`${origin}/${pattern}?picture`);
  await page.locator("svg[aria-busy=false]").waitFor();
  const frames: Buffer[] = [];
  for (const scene of scenes) {
    await stage.tell(scene);
    for (let busy = true; busy && frames.length < MOST; ) {
      busy = await page.evaluate<boolean>(`advance(${1000 / RATE})`);
      frames.push(await page.screenshot());
    }
  }
  await page.close();
  return frames;
}

/** What comes before the first message is shown at once; what comes after it, a step at a time. */
function scenesOf(recording: Sent[]): Sent[][] {
  const scenes: Sent[][] = [[]];
  const first = recording.findIndex(({ type }) => type === "published");
  const opening = recording.findLastIndex(({ type }, index) => type === "step" && index < first);
  recording.forEach((event, index) => {
    if (event.type === "step" && index >= opening) scenes.push([]);
    scenes.at(-1)?.push(event);
  });
  return scenes;
}

/** Stands for the server: everything comes from memory, and what happens when it is told. */
class Stage {
  #asking: Promise<Route>;
  #asked: (route: Route) => void = () => {};
  #last = 0;

  private constructor() {
    this.#asking = this.#nextRequest();
  }

  static async build(page: Page, before: Sent[]): Promise<Stage> {
    const stage = new Stage();
    const catalogue: Catalogue = { broker: "", canRestart: false, groups: [] };
    const files: Record<string, { contentType: string; body: string }> = {
      "/main.js": { contentType: "text/javascript", body: await bundlePage() },
      "/style.css": { contentType: "text/css", body: readFileSync(`${web}style.css`, "utf8") },
      "/code.css": { contentType: "text/css", body: codeCss },
      "/catalogue": { contentType: "application/json", body: JSON.stringify(catalogue) },
      "/act": { contentType: "application/json", body: "{}" },
    };
    const index = { contentType: "text/html", body: readFileSync(`${web}index.html`, "utf8") };
    await page.route(`${origin}/**`, async (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname === "/events") stage.#asked(route);
      else await route.fulfill(files[pathname] ?? index);
    });
    // The page takes what it gets first for the past, and shows it at once.
    void stage.tell(before);
    return stage;
  }

  /**
   * Answers the page's request for events.
   *
   * @returns When the page has heard all of them: only then does it ask again.
   */
  async tell(events: Sent[]): Promise<void> {
    const route = await this.#asking;
    this.#asking = this.#nextRequest();
    const messages = events.map((event) => `id: ${++this.#last}\ndata: ${JSON.stringify(event)}\n\n`);
    await route.fulfill({ contentType: "text/event-stream", body: `retry: 1\n\n${messages.join("")}` });
    await this.#asking;
  }

  #nextRequest(): Promise<Route> {
    return new Promise((resolve) => {
      this.#asked = resolve;
    });
  }
}

/** Runs in the page, before its own script. */
const holdAnimations = `{
  const animate = Element.prototype.animate;
  Element.prototype.animate = function (...given) {
    const animation = animate.apply(this, given);
    animation.pause();
    return animation;
  };
  globalThis.advance = async (ms) => {
    for (const animation of document.getAnimations()) {
      const time = (animation.currentTime ?? 0) + ms;
      if (time >= animation.effect.getComputedTiming().endTime) animation.finish();
      else animation.currentTime = time;
    }
    // What waited for an animation goes on in promises, and draws.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve));
    return document.querySelector("svg").getAttribute("aria-busy") === "true" || document.getAnimations().length > 0;
  };
}`;
