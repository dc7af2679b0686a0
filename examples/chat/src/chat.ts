import { firstSignal, giveUp, text, usage } from "shared";
import { openInbox, openOutbox } from "./messages.ts";
import { openScreen } from "./screen.ts";
import { isName } from "./topology.ts";

const { words, refuse } = usage("chat <you> <partner>", "chat Jean Pierre");
const rule = "A name has 1 to 32 letters and digits, with - and _ inside.";
const [you = "", partner = ""] = words.map((word) => (isName(word) ? word.normalize() : refuse(rule)));
if (you === partner) refuse("You and your partner need two different names.");
const screen = openScreen();
const { publisher, send } = openOutbox(you, partner, screen.log);

async function talk(): Promise<void> {
  await screen.print(` [*] ${you}, you are talking to ${partner}. To leave, type /quit`);
  for await (const line of screen.lines()) {
    if (line.trim() === "/quit") return;
    if (line.trim() === "") continue;
    const confirmed = () => screen.print(` ✓ ${text(line)}`);
    void send(line).then(confirmed, ({ message }: Error) => {
      screen.log.error(`Not confirmed: ${text(line)} (${message})`);
      process.exitCode = 1;
    });
    // A file has lines faster than a broker has confirms.
    await publisher.room();
  }
}

try {
  const signalled = firstSignal();
  await Promise.race([publisher.ready, signalled]);
  const inbox = openInbox(you, (line) => screen.print(line), screen.log);
  await Promise.race([inbox.ready.then(talk), signalled, inbox.refused]);
  screen.close();
  await publisher.close();
  await inbox.stop();
  await inbox.close();
} catch (error) {
  screen.close();
  giveUp(error);
}
