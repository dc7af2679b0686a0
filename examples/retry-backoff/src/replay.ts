import type { ConfirmChannel } from "amqplib";
import { text } from "shared";
import { move } from "./move.ts";
import { declareJobs, parked, queue } from "./topology.ts";

/** Gives each job that is parked now all its attempts again. What is parked again meanwhile stays. */
export async function replay(channel: ConfirmChannel): Promise<void> {
  await declareJobs(channel);
  const { messageCount, consumerCount } = await channel.checkQueue(parked);
  if (consumerCount > 0) {
    console.error(" [!] Somebody is looking at the parked jobs, and holds them. Close that program first.");
    process.exitCode = 1;
    return;
  }
  let sentBack = 0;
  for (let turn = 0; turn < messageCount; turn++) {
    const job = await channel.get(parked);
    if (!job) break;
    if (await move(channel, job, queue)) {
      channel.ack(job);
      console.log(` [x] Sent back ${text(job.content)}`);
      sentBack++;
    } else console.log(` [!] Kept ${text(job.content)}: it can't be written as it was`);
  }
  console.log(` [x] ${sentBack} of ${messageCount} sent back`);
}
