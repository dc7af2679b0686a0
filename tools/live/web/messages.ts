import type { Message } from "../src/protocol.ts";

/** Messages that are remembered: of older ones only the picture's own cards still tell. */
const MOST = 2_000;

/** The messages that the page has been told of last. */
export class Messages {
  readonly #byId = new Map<number, Message>();

  add(message: Message): void {
    this.#byId.set(message.id, message);
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > MOST && oldest !== undefined) this.#byId.delete(oldest);
  }

  get(id: number): Message | undefined {
    return this.#byId.get(id);
  }

  clear(): void {
    this.#byId.clear();
  }
}
