import { integer, produce, text, usage } from "shared";
import { CallError, openCall } from "./call.ts";
import { queue } from "./topology.ts";

const { words, refuse } = usage("client [n]", "client 300");
const n = integer(words[0] ?? "30") ?? refuse("n must be a whole number, 0 or more.");

await produce(async (channel) => {
  // The client declares no queue. That is the server's, whatever its arguments are.
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
