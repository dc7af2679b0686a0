import { join } from "node:path";
import type { Broker } from "broker";
import { openProgram, type Terminal } from "stage";

/** ms. It bundles its page first. */
const START = 30_000;

/** `pnpm live` with a pattern, on the same broker. It ends with this process. */
export class LivePage {
  readonly pattern: string;
  readonly #terminal: Terminal;

  /** @param root The repository's folder. */
  constructor(root: string, broker: Broker, pattern: string) {
    this.pattern = pattern;
    const program = ["--import", "tsx", join(root, "tools/live/src/cli.ts"), pattern];
    this.#terminal = openProgram(process.execPath, program, {
      cwd: root,
      env: { ...process.env, AMQP_URL: broker.amqpUrl, RABBITMQ_MANAGEMENT_URL: broker.managementUrl },
    });
  }

  /** Waits for its address. `undefined` when it doesn't start. */
  async address(): Promise<string | undefined> {
    const find = () => this.#terminal.lines.find((line) => /^http:\S+$/.test(line));
    await this.#terminal.until(() => find() !== undefined || this.#terminal.ended !== undefined, START);
    return this.#terminal.ended ? undefined : find();
  }

  /** Has it end what it has started, and waits for that. */
  async close(): Promise<void> {
    this.#terminal.terminate();
    // ms
    await this.#terminal.until(() => this.#terminal.ended !== undefined, 5_000);
    await this.#terminal.close();
  }
}
