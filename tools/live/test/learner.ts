import { fileURLToPath } from "node:url";
import { startBroker } from "broker";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { Live } from "../src/server/live.ts";
import { type PageServer, serve } from "../src/server/server.ts";

/** A page of `pnpm live`, and what a learner does on it. */
export class Learner {
  readonly page: Page;
  /** What the browser has complained about: errors, and what the content policy has refused. */
  readonly complaints: string[] = [];
  readonly #server: PageServer;

  private constructor(page: Page, server: PageServer) {
    this.page = page;
    this.#server = server;
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(error.message));
  }

  static async come(
    { server, browser }: { server: PageServer; browser: Browser },
    options: BrowserContextOptions = {},
  ): Promise<Learner> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    // ms; a bound for a loaded machine.
    context.setDefaultTimeout(30_000);
    return new Learner(await context.newPage(), server);
  }

  /** @param address A pattern, and perhaps an anchor: "topics#run-it". */
  async open(address: string): Promise<void> {
    const [path = "", anchor = ""] = address.split("#");
    await this.page.goto(this.#server.address(path));
    if (anchor) await this.page.goto(`http://127.0.0.1:${this.#server.port}/${address}`);
    if (path) await this.page.locator(".controls:not([disabled])").waitFor();
  }

  /** The sentence that says what has just happened. */
  get sentence(): Locator {
    return this.page.locator(".sentence");
  }

  async press(button: string | RegExp): Promise<void> {
    await this.page.getByRole("button", { name: button }).first().click();
  }

  async choose(list: string, option: string): Promise<void> {
    await this.page.getByRole("combobox", { name: list, exact: true }).selectOption(option);
  }

  async look(panel: string): Promise<void> {
    await this.page.getByRole("tab", { name: panel }).click();
  }

  /** Runs a script with own arguments, from the panel. */
  async run(script: string, words: string): Promise<void> {
    await this.look("Try it");
    await this.choose("Script", script);
    await this.page.getByLabel("Arguments").fill(words);
    await this.press("Run");
  }

  terminal(name: string): Locator {
    return this.page.getByRole("region", { name: `Terminal: ${name}`, exact: true });
  }

  /** Each consumer with what it has had, as the picture shows it. */
  had(): Promise<string[][]> {
    return this.page.$$eval(".node.consumer", (nodes) =>
      nodes.map((node) =>
        [...node.querySelectorAll(".title, .chip text")].map((element) => element.textContent ?? ""),
      ),
    );
  }

  /** Everything that the log tells. */
  async told(): Promise<string> {
    await this.look("Log");
    return (await this.page.locator(".log ol").textContent()) ?? "";
  }

  /** What the page shows: the sentence, the terminals and the last lines of the log. It helps to see why a test failed. */
  async state(): Promise<string> {
    const texts = (what: string) => this.page.locator(what).allTextContents();
    const busy = await this.page.locator("svg[aria-busy]").first().getAttribute("aria-busy");
    await this.look("Log");
    return [
      `The picture still moves: ${busy}`,
      ...(await texts(".sentence")),
      ...(await texts("[aria-label^='Terminal: ']")),
      "Log:",
      ...(await texts(".log li")).slice(-20),
    ].join("\n");
  }

  leave(): Promise<void> {
    return this.page.context().close();
  }
}

/**
 * Serves the page to the tests of a file. After each test all learners leave, and every program ends; nothing may have
 * gone wrong in their browsers.
 *
 * @param options `private`: on a broker of this file's own, which a learner may restart.
 * @returns What brings a learner.
 */
export function serveLearners(browser: Browser | undefined, options: { private?: boolean } = {}) {
  let live: Live;
  let server: PageServer;
  let close: () => Promise<void>;
  const learners: Learner[] = [];
  beforeAll(async () => {
    const broker = await startBroker(options);
    live = new Live(fileURLToPath(new URL("../../..", import.meta.url)), broker);
    server = await serve(live);
    close = async () => {
      await server.close();
      await live.close();
      await broker.stop();
    };
  });
  afterAll(async () => {
    await browser?.close();
    await close?.();
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail")
      for (const learner of learners)
        console.error(await learner.state().catch((error) => `The page can't be read: ${error}`));
    const complaints = learners.flatMap((learner) => learner.complaints);
    for (const learner of learners.splice(0)) await learner.leave();
    await live.close();
    expect(complaints).toEqual([]);
  });
  return async (options?: BrowserContextOptions) => {
    if (!browser) throw new Error("There is no browser.");
    const learner = await Learner.come({ server, browser }, options);
    learners.push(learner);
    return learner;
  };
}
