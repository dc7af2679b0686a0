import type { GetMessage } from "amqplib";
import { exercise, Miss } from "exercise";

const worker = "src/worker.ts";

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.
const solved = `// The broker moves the job on, with all that it holds. Nothing is published again.
        channel.reject(delivery, false);
        const next = wait === undefined ? "Parked" : \`Again in \${wait} ms\`;
        return console.log(\` [x] Failed: \${job} (\${(error as Error).message}). \${next}\`);`;

const atOnce = `// Once more, behind the jobs that wait already.
        channel.sendToQueue(queue, delivery.content, delivery.properties);
        channel.ack(delivery);
        return console.log(\` [x] Failed: \${job} (\${(error as Error).message}). Once more\`);`;

const send = "channel.sendToQueue(queue, delivery.content, delivery.properties);";

export default exercise({
  from: "retry-backoff",
  files: [worker],
  given: [{ file: worker, find: solved, replace: atOnce }],

  async check({ run, channel, until }) {
    const program = run("worker", "--fail-times", "99", "--fail-on", "piano");
    await program.ready();
    channel.sendToQueue("jobs", Buffer.from("Carry the piano"), { messageId: "piano-1" });
    channel.sendToQueue("jobs", Buffer.from("Carry the chair"), { messageId: "chair-1" });
    await channel.waitForConfirms();
    await program.prints(
      " [x] Done: Carry the chair",
      "The worker did not do another job while the one that failed was waiting.",
    );
    const attempts = (number: number) =>
      program.lines.filter((line) => line === ` [x] Received Carry the piano (attempt ${number})`).length;
    const countUp = () => {
      for (const number of [1, 2, 3, 4])
        if (attempts(number) > 1)
          throw new Miss(
            `The job that always fails came again as attempt ${number}, which it had been already. Its attempts don't ` +
              "count up, so it is tried for ever.",
          );
    };
    const isParked = async () => (await channel.checkQueue("parked_jobs")).messageCount === 1;
    const forgotten =
      "The job that always fails didn't come again after its first attempt. Whatever the worker printed, the broker has " +
      "forgotten the job.";
    await until(() => {
      countUp();
      return attempts(2) === 1;
    }, forgotten);
    await until(
      () => {
        countUp();
        return isParked();
      },
      "The job that always fails came again, but it was not parked after its fourth attempt.",
      { within: 6_000 },
    );

    const parked = (await channel.get("parked_jobs")) as GetMessage;
    const { headers, messageId } = parked.properties;
    const waits = (headers?.["x-death"] ?? [])
      .filter(({ reason }: { reason: string }) => reason === "expired")
      .map(({ queue }: { queue: string }) => queue);
    for (const wait of [200, 400, 800])
      if (!waits.includes(`jobs_wait_${wait}ms`))
        throw new Miss(
          `The job that always fails was parked, but it had not waited ${wait} ms between two attempts.`,
        );
    if (messageId !== "piano-1")
      throw new Miss("The job was parked without its messageId: it is not the message that was published.");
  },

  says: /came again as attempt 1/,
  wrong: [
    {
      why: "a pause in the worker makes no attempt the second one",
      on: "given",
      edits: [
        {
          file: worker,
          find: send,
          replace: `await new Promise((resolve) => setTimeout(resolve, wait ?? 0));\n        ${send}`,
        },
      ],
      says: /came again as attempt 1/,
    },
    {
      why: "a job goes to its next attempt by way of the queue in which it waits",
      on: "given",
      edits: [
        {
          file: worker,
          find: send,
          replace: `const next = attempts[number]?.queue ?? "parked_jobs";
        channel.sendToQueue(next, delivery.content, delivery.properties);`,
        },
      ],
      says: /was parked, but it had not waited 200 ms/,
    },
    {
      why: "what is acknowledged is done for the broker, whatever the worker prints",
      on: "solution",
      edits: [{ file: worker, find: "channel.reject(delivery, false);", replace: "channel.ack(delivery);" }],
      says: /didn't come again after its first attempt.*has forgotten the job/,
    },
  ],
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.
