import { consume, handle, text, usage } from "shared";
import { fibonacci, largest, readNumber } from "./fibonacci.ts";
import { declareRequests, queue } from "./topology.ts";

usage("server", "server");

await consume(async (channel) => {
  await declareRequests(channel);
  // One request at a time: the next one goes to a server that is free.
  await channel.prefetch(1);
  const answer = handle(
    (request) => {
      const { replyTo, correlationId, messageId } = request.properties;
      const n = readNumber(request.content);
      if (n === undefined) console.log(` [!] Refused: ${text(request.content.subarray(0, 50))}`);
      else console.log(` [.] fib(${n})`);
      const body = n === undefined ? `n must be a whole number from 0 to ${largest}.` : String(fibonacci(n));
      channel.sendToQueue(replyTo, Buffer.from(body), {
        // AMQP 1.0 clients send no correlation id. They expect the id of their message.
        correlationId: correlationId ?? messageId,
        // Our client looks at the type. An official one prints the error where it prints answers.
        type: n === undefined ? "error" : "result",
        contentType: "text/plain",
      });
      // After the answer: if we crash in between, another server answers again, and the client ignores that one.
      channel.ack(request);
    },
    // The broker ends our connection when `replyTo` is a forged address. Such a request is dropped when it comes again.
    { onFailure: "dead-letter" },
  );
  await channel.consume(queue, answer);
  console.log(" [x] Awaiting RPC requests");
});
