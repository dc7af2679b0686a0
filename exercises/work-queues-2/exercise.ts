import { exercise } from "exercise";

const worker = "src/worker.ts";

export default exercise({
  from: "work-queues",
  files: [worker],
  given: [
    {
      file: worker,
      find: `
  // One task at a time. The next one goes to a worker that is free.
  await channel.prefetch(1);`,
      replace: "",
    },
    {
      file: worker,
      find: "await channel.consume(queue, work);",
      replace: `await channel.consume(queue, work);
  // One task at a time. The next one goes to a worker that is free.
  await channel.prefetch(1);`,
    },
  ],

  async check({ run, channel }) {
    await channel.assertQueue("task_queue", { durable: true, arguments: { "x-queue-type": "quorum" } });
    for (const task of ["Film..........", "Letter", "Postcard"])
      channel.sendToQueue("task_queue", Buffer.from(task));
    await channel.waitForConfirms();

    const first = run("worker");
    await first.ready();
    await first.prints(" [x] Received Film..........", "The first worker did not get the task Film.");
    const second = run("worker");
    await second.ready();
    for (const task of ["Letter", "Postcard"])
      await second.prints(
        ` [x] Received ${task}`,
        `The second worker was free and did not get the task ${task}: the first worker had it already, and was still busy ` +
          "with Film. The broker sends a worker as many tasks as its prefetch allows, and counts those that it has not " +
          "acknowledged yet.",
      );
    await second.prints(" [x] Done", "The second worker did not finish its two tasks.", { times: 2 });
  },

  says: /did not get the task Letter: the first worker had it already/,
  wrong: [
    {
      why: "with a prefetch of 10, a worker may still have ten tasks at a time",
      on: "solution",
      edits: [{ file: worker, find: "prefetch(1)", replace: "prefetch(10)" }],
      says: /did not get the task Letter: the first worker had it already/,
    },
    {
      why: "when the first task is handled, the broker has sent the others already",
      on: "given",
      edits: [
        { file: worker, find: "\n  await channel.prefetch(1);", replace: "" },
        {
          file: worker,
          find: "const task = text(delivery.content);",
          replace: "await channel.prefetch(1);\n    const task = text(delivery.content);",
        },
      ],
      says: /did not get the task Letter: the first worker had it already/,
    },
    {
      why: "a task that is acknowledged at once doesn't count as one that the worker has",
      on: "solution",
      edits: [
        {
          file: worker,
          find: `
    // Until now the broker has kept the task. It would have given it to another worker if this one had died.
    channel.ack(delivery);`,
          replace: "",
        },
        {
          file: worker,
          find: "const task = text(delivery.content);",
          replace: "channel.ack(delivery);\n    const task = text(delivery.content);",
        },
      ],
      says: /did not get the task Letter: the first worker had it already/,
    },
  ],
});
