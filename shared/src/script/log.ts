import type { Log } from "../amqp/index.ts";

const line = (message: string) => console.error(` [!] ${message}`);

/** What happens to a script's connection, as lines on stderr. */
export const log: Log = { info: line, warn: line, error: line };
