import { consume, text, usage } from "shared";
import { fibonacci, largest, readNumber } from "./fibonacci.ts";
import { declareRequests, queue } from "./topology.ts";

const { words, refuse } = usage("server", "server");
if (words.length > 0) refuse("server takes no arguments.");

await consume(async (channel) => {
  await declareRequests(channel);
  // One request at a time: the next one goes to whichever server is free.
  await channel.prefetch(1);
  await channel.consume(queue, (request) => {
    const { replyTo, correlationId } = request.properties;
    const n = readNumber(request.content);
    console.log(
      n === undefined ? ` [!] Refused: ${text(request.content.subarray(0, 50))}` : ` [.] fib(${n})`,
    );
    const answer = n === undefined ? `n must be a whole number from 0 to ${largest}.` : String(fibonacci(n));
    // Our client looks at the type. An official one prints the error where it prints answers.
    const type = n === undefined ? "error" : "result";
    try {
      channel.sendToQueue(replyTo, Buffer.from(answer), { correlationId, type });
    } catch (error) {
      // An id of 255 bytes that aren't UTF-8 is too long for amqplib 2.3.1 to send back. It would be next time, too.
      if (!(error instanceof TypeError)) throw error;
      console.log(" [!] Dropped a request that can't be answered.");
    }
    // After the answer: should we crash in between, another server answers again, and the client ignores that one.
    channel.ack(request);
  });
  console.log(" [x] Awaiting RPC requests");
});
