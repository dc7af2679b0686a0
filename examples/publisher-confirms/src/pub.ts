import { connect, giveUp, integer, text, usage } from "shared";
import { asynchronously } from "./asynchronously.ts";
import { inBatches } from "./in-batches.ts";
import { individually } from "./individually.ts";
import { makeMessages } from "./messages.ts";
import { showProgress } from "./progress.ts";
import { type Strategy, untilConfirmed } from "./until-confirmed.ts";

const strategies = new Map<string, [name: string, strategy: Strategy]>([
  ["individual", ["individually", individually]],
  ["batch", ["in batches of 100", inBatches]],
  ["async", ["asynchronously", asynchronously]],
]);

const { words, options, refuse } = usage("pub [individual|batch|async]... [--count N]", "pub batch async", {
  count: { type: "string", default: "50000" },
});
const most = 1_000_000;
const count = integer(options.count, 1) ?? 0;
if (count < 1 || count > most) refuse(`--count takes a whole number from 1 to ${most}.`);
const chosen = (words.length > 0 ? words : [...strategies.keys()]).map(
  (word) => strategies.get(word) ?? refuse(`There is no strategy "${text(word)}".`),
);

try {
  const connection = await connect();
  for (const [name, strategy] of chosen) {
    const unconfirmed = makeMessages(name, count);
    const began = performance.now();
    const endProgress = showProgress(() => `${count - unconfirmed.size} of ${count} confirmed`);
    await untilConfirmed(connection, strategy, unconfirmed);
    endProgress();
    const ms = performance.now() - began;
    const rate = Math.round((count / ms) * 1000);
    console.log(` [x] Published ${count} messages ${name} in ${Math.round(ms)} ms (${rate} msg/s)`);
  }
  await connection.close();
} catch (error) {
  giveUp(error);
}
