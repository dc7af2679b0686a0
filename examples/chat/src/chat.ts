import { firstSignal, giveUp, text, usage } from "shared";
import { openInbox } from "./inbox.ts";
import { Outbox } from "./outbox.ts";
import { openScreen } from "./screen.ts";
import { isName } from "./topology.ts";
import { sendTyped } from "./typing.ts";

const { words, refuse } = usage("chat <you> <partner>", "chat Jean Pierre");
const rule = "A name has 1 to 32 letters and digits, with - and _ inside.";
const [you = "", partner = ""] = words.map((word) => (isName(word) ? word.normalize() : refuse(rule)));
if (words.length !== 2 || you === partner) refuse("Say who you are and who your partner is: two names.");

const signalled = firstSignal().then(() => "signalled");
const screen = openScreen();
const outbox = new Outbox(you, partner);
const tellOf = (body: string) => console.error(` [!] Not confirmed: ${text(body)}`);
process.once("exit", () => outbox.unconfirmed.forEach(tellOf));
try {
  const show = (line: string) => screen.print(line);
  const inbox = await openInbox(you, show, (connection) => outbox.open(connection));
  const talk = async () => {
    await inbox.ready;
    await screen.print(` [*] ${you}, you are talking to ${partner}. To leave, type /quit`);
    await sendTyped(screen, outbox);
  };
  const refused = Promise.race([inbox.refused, outbox.refused]);
  const left = await Promise.race([talk(), signalled, refused]);
  screen.close();
  // The second signal doesn't wait. Whoever left by /quit, Ctrl-D or a terminal's Ctrl-C, a mere key, has sent none.
  if (left !== "signalled") void signalled.then(() => process.exit(130));
  const hint = " [!] Waiting for RabbitMQ to confirm what was sent. Ctrl-C leaves without.";
  const waiting = setTimeout(() => console.error(hint), 1000);
  await Promise.race([outbox.close(), refused]);
  clearTimeout(waiting);
  await inbox.stop();
  await inbox.close();
} catch (error) {
  screen.close();
  giveUp(error);
}
