import { text } from "shared";
import type { Outbox } from "./outbox.ts";
import type { Screen } from "./screen.ts";

/** In bytes. A broker takes 16 MiB by default, but nobody types, or reads, that much in one line. */
const longest = 2 ** 20;

/**
 * Sends each line that is typed, until there are no more, or one says `/quit`. A line that is too long to send is
 * refused on stderr, and makes 1 the exit code.
 *
 * @param screen Where lines are typed, and marked when they are confirmed.
 * @param outbox Sends them.
 */
export async function sendTyped(screen: Screen, outbox: Outbox): Promise<void> {
  for await (const line of screen.lines()) {
    if (line.trim() === "/quit") return;
    if (line.trim() === "") continue;
    if (Buffer.byteLength(line) > longest) {
      console.error(` [!] Not sent: that line is longer than ${longest} bytes.`);
      process.exitCode = 1;
      continue;
    }
    void outbox.send(line).then(screen.sending(text(line)));
    // A file has lines faster than a broker has confirms.
    await outbox.room();
  }
}
