// A publisher for the tests: so many messages, so many ms apart, to a queue that may be short.
import { setTimeout as sleep } from "node:timers/promises";
import { produce } from "../../src/script/index.ts";

const [queue = "", count = "1", maxLength, pause] = process.argv.slice(2);
const short = { arguments: { "x-max-length": Number(maxLength), "x-overflow": "reject-publish" } };

const answer = await produce(async (channel) => {
  await channel.assertQueue(queue, { durable: true, ...(maxLength ? short : {}) });
  for (let n = 1; n <= Number(count); n++) {
    channel.sendToQueue(queue, Buffer.from(String(n)), { persistent: true });
    if (pause) await sleep(Number(pause));
  }
  if (queue === "held") {
    console.log("published");
    await new Promise(() => {});
  }
  if (queue === "faulty") throw new Error("a fault of the program");
  return 42;
});
console.log(`confirmed, ${answer}`);
