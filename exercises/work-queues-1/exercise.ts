import { exercise, Miss } from "exercise";

const worker = "src/worker.ts";

const lastAck = {
  file: worker,
  find: `
    // Until now the broker has kept the task. It would have given it to another worker if this one had died.
    channel.ack(delivery);`,
  replace: "",
};

export default exercise({
  from: "work-queues",
  files: [worker],
  given: [
    lastAck,
    {
      file: worker,
      find: "console.log(` [x] Received ${task}${again}`);",
      replace: "console.log(` [x] Received ${task}${again}`);\n    channel.ack(delivery);",
    },
  ],

  async check({ run, channel, until }) {
    const first = run("worker");
    await first.ready();
    for (const task of ["Report.", "Letter.........."]) channel.sendToQueue("task_queue", Buffer.from(task));

    // A worker gets its second task when the broker has its acknowledgement of the first.
    await first.prints(
      " [x] Received Letter..........",
      "The worker did not get its second task: it has not acknowledged the first one.",
    );
    const reportWasDone = first.lines.indexOf(" [x] Done") >= 0;
    first.kill();
    await until(
      async () => (await channel.checkQueue("task_queue")).consumerCount === 0,
      "The worker was killed with kill -9, and the broker still counts it as a consumer.",
    );

    channel.sendToQueue("task_queue", Buffer.from("Postcard"));
    const second = run("worker");
    if (reportWasDone) {
      await second.prints(
        / Received Letter\.+ \(redelivered\)$/,
        "The worker was killed with kill -9 while it did the task Letter, and no other worker got that task.",
      );
      return;
    }
    await second.prints(
      " [x] Received Postcard",
      "The next worker did not get the task that was sent to it.",
    );
    throw new Miss(
      second.lines.some((line) => line.includes("Received Report."))
        ? "The worker took the second task before the first one was done."
        : "The worker acknowledged the task Report before it was done. It was killed with kill -9 at that moment, and " +
            "the task is lost: no other worker got it.",
    );
  },

  says: /acknowledged the task Report before it was done.*the task is lost/,
  wrong: [
    {
      why: "without any acknowledgement, the broker waits for it and sends nothing more",
      on: "solution",
      edits: [lastAck],
      says: /did not get its second task/,
    },
    {
      why: "with noAck, the broker takes each task for acknowledged when it has sent it",
      on: "solution",
      edits: [
        lastAck,
        { file: worker, find: "consume(queue, work)", replace: "consume(queue, work, { noAck: true })" },
      ],
      says: /the task is lost/,
    },
    {
      why: "the acknowledgement comes last, but does not wait for the work",
      on: "solution",
      edits: [
        {
          file: worker,
          find: `    await setTimeout(dots * 1000);
    console.log(" [x] Done");`,
          replace: `    setTimeout(dots * 1000).then(() => console.log(" [x] Done"));`,
        },
      ],
      says: /the task is lost/,
    },
  ],
});
