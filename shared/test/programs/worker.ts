// A consumer for the tests: prints what reaches it, and does with it what its body says.
import { createInterface } from "node:readline/promises";
import { consume, handle, text } from "../../src/script/index.ts";
import { declareWork } from "./queue.ts";

const keyboard = createInterface({ input: process.stdin });

await consume(async (channel) => {
  await declareWork(channel);
  const work = handle(async (delivery) => {
    const body = text(delivery.content);
    console.log(`${delivery.fields.redelivered ? "again" : "got"} ${body}`);
    if (body === "wait for Enter") await new Promise((resolve) => keyboard.once("line", resolve));
    if (body === "fail" && !delivery.fields.redelivered) throw new Error("on purpose");
    channel.ack(delivery);
    if (body === "ack twice") channel.ack(delivery);
    console.log(`done ${body}`);
  });
  await channel.consume("work", work);
  await channel.assertQueue("forgotten", { durable: true });
  const throwsAtOnce = () => {
    throw new Error("at once");
  };
  await channel.consume("forgotten", handle(throwsAtOnce), { noAck: true });
  console.log("ready");
});

keyboard.close();
console.log("closed");
