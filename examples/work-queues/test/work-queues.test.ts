import type { Channel, GetMessage } from "amqplib";
import { test as base, manners, type Run, scenarios } from "testkit";
import { expect } from "vitest";

scenarios();

const conflict = (channel: Channel) => channel.assertQueue("task_queue");

manners({
  "new-task": { conflict },
  worker: { wrong: [["now"]], stays: true, conflict },
});

const READY = " [*] Waiting for messages in task_queue. To exit press CTRL+C";
// It takes ten seconds, the longest that a task can take.
const LONG = `Long${".".repeat(600)}`;

// It removes the tasks of an earlier test, and the workers whose end the broker has not noticed yet.
const test = base.extend("emptied", { auto: true }, ({ channel }) => channel.deleteQueue("task_queue"));

test("15 tasks go in turn to three idle workers, five each", async ({ run }) => {
  const workers = [await startWorker(run), await startWorker(run), await startWorker(run)];
  const expected: string[][] = workers.map(() => [READY]);

  for (let number = 1; number <= 15; number++) {
    const turn = (number - 1) % 3;
    await send(run, `Task ${number}`);
    expected[turn]?.push(` [x] Received Task ${number}`, " [x] Done");
    // They take turns only while they are idle.
    await workers[turn]?.printed(" [x] Done", { times: Math.ceil(number / 3) });
  }

  expect(workers.map(({ lines }) => lines)).toEqual(expected);
});

test("a worker that is busy gets nothing more, one that is free gets the next", async ({ run, channel }) => {
  const busy = await startWorker(run);
  const free = await startWorker(run);

  // All at once: four scripts, one after the other, could take longer than the long task.
  for (const task of [LONG, "Short 1", "Short 2", "Short 3"])
    channel.sendToQueue("task_queue", Buffer.from(task));

  await free.printed(" [x] Done", { times: 3 });
  expect(free.lines.filter((line) => line !== " [x] Done")).toEqual([
    READY,
    " [x] Received Short 1",
    " [x] Received Short 2",
    " [x] Received Short 3",
  ]);
  expect(busy.lines).toEqual([READY, ` [x] Received ${LONG}`]);
});

test("the first worker to start doesn't take all tasks that wait", async ({ run }) => {
  for (const task of [LONG, "Short"]) await send(run, task);
  const workers = [run("worker"), run("worker")];
  await Promise.all(workers.map((worker) => worker.printed(/Received/)));
  const received = workers.map(({ lines }) => lines.filter((line) => line.includes("Received")));
  expect(received.sort()).toEqual([[` [x] Received ${LONG}`], [" [x] Received Short"]]);
});

test("a worker killed in the middle loses nothing: another gets the task, marked", async ({ run }) => {
  const dying = await startWorker(run);
  const heir = await startWorker(run);
  await send(run, LONG);
  await dying.printed(` [x] Received ${LONG}`);

  dying.kill();

  await heir.printed(` [x] Received ${LONG} (redelivered)`);
  expect(dying.lines).toEqual([READY, ` [x] Received ${LONG}`]);
  expect(heir.lines).toEqual([READY, ` [x] Received ${LONG} (redelivered)`]);
});

test("Ctrl-C lets a worker finish its task, which is not delivered again", async ({ run }) => {
  const leaving = await startWorker(run);
  await send(run, "A second.");
  await leaving.printed(" [x] Received A second.");
  leaving.press("^C");
  expect(await leaving.exit).toEqual({ code: 0, signal: null });
  expect(leaving.lines).toEqual([
    READY,
    " [x] Received A second.",
    " [!] Finishing what is in hand. To drop it press CTRL+C again",
    " [x] Done",
  ]);

  const next = await startWorker(run);
  await send(run, "Next");
  await next.printed(" [x] Done");
  expect(next.lines).toEqual([READY, " [x] Received Next", " [x] Done"]);
});

test("tasks survive a restart of the broker, in order", async ({ privateBroker, runWith }) => {
  const run: Run = (...words) => runWith({ amqpUrl: privateBroker.amqpUrl }, ...words);
  for (const number of [1, 2, 3]) await send(run, `Task ${number}`);

  await privateBroker.settle();
  await privateBroker.kill();
  await privateBroker.start();

  const worker = run("worker");
  await worker.printed(" [x] Done", { times: 3 });
  expect(worker.lines.filter((line) => line !== " [x] Done")).toEqual([
    READY,
    " [x] Received Task 1",
    " [x] Received Task 2",
    " [x] Received Task 3",
  ]);
});

test("the official programs' queue and tasks are the same", async ({ run, channel }) => {
  await channel.assertQueue("task_queue", { durable: true, arguments: { "x-queue-type": "quorum" } });
  await send(run, "for", "your", "worker");
  const task = (await channel.get("task_queue", { noAck: true })) as GetMessage;
  expect(task.content.toString()).toBe("for your worker");
  expect(task.properties.deliveryMode).toBe(2);

  const worker = await startWorker(run);
  channel.sendToQueue("task_queue", Buffer.from("from your new_task"), { persistent: true });
  await worker.printed(" [x] Received from your new_task");
});

test("without arguments, the task is Hello World!", async ({ run }) => {
  const worker = await startWorker(run);
  const { lines } = await send(run);
  expect(lines).toEqual([" [x] Sent 'Hello World!'"]);
  await worker.printed(" [x] Received Hello World!");
});

test("a task can't play tricks on the worker's terminal", async ({ run }) => {
  const worker = await startWorker(run);
  await send(run, "\x1b[2Jline\nline");
  await worker.printed(" [x] Received \\x1b[2Jline\\nline");
});

async function startWorker(run: Run) {
  const worker = run("worker");
  await worker.printed(READY);
  return worker;
}

/** Sends a task, which the broker has confirmed when this returns. */
async function send(run: Run, ...words: string[]) {
  const sender = run("new-task", ...words);
  expect(await sender.exit, sender.lines.join("\n")).toEqual({ code: 0, signal: null });
  return sender;
}
