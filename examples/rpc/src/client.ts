import { integer, produce, text, usage } from "shared";
import { CallError, openCall } from "./call.ts";
import { declareRequests, queue } from "./topology.ts";

const { words, refuse } = usage("client [n]", "client 300");
const [word = "30", ...more] = words;
const n = integer(word);
if (n === undefined || more.length > 0) refuse("n must be one whole number, 0 or more.");

await produce(async (channel) => {
  await declareRequests(channel);
  const call = await openCall(channel, queue, { deadline: 5_000 });
  console.log(` [x] Requesting fib(${n})`);
  try {
    console.log(` [.] Got ${text(await call(String(n)))}`);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    console.error(` [!] ${text(error.message)}`);
    process.exitCode = 1;
  }
});
