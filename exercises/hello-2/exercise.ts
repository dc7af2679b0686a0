import { exercise } from "exercise";

const receive = "src/receive.ts";
const declaration = "await channel.assertQueue(queue, { durable: true });";

export default exercise({
  from: "hello",
  files: [receive],
  given: [
    { file: receive, find: "import { declareHello, queue }", replace: "import { queue }" },
    { file: receive, find: "await declareHello(channel);", replace: declaration },
  ],

  async check({ run, channel }) {
    // The sender comes first.
    await channel.assertQueue("hello", { durable: true, arguments: { "x-queue-type": "quorum" } });
    channel.sendToQueue("hello", Buffer.from("Good morning"));
    await channel.waitForConfirms();
    const second = run("receive");
    await second.ready();
    await second.prints(
      " [x] Received Good morning",
      "The receiver did not get the message that waited in the queue hello when it started.",
    );
    second.terminate();
    await second.ends("The receiver did not end on SIGTERM.");

    // The receiver comes first.
    await channel.deleteQueue("hello");
    const first = run("receive");
    await first.ready();
    await run("send", "Good evening").ends("A receiver runs, and send did not end.");
    await first.prints(
      " [x] Received Good evening",
      "A receiver that was started before the sender did not get its message.",
    );
  },

  says: /exists with another x-queue-type/,
  wrong: [
    {
      why: "deleting the queue deletes the messages in it",
      on: "given",
      edits: [
        { file: receive, find: declaration, replace: `await channel.deleteQueue(queue);\n  ${declaration}` },
      ],
      says: /did not get the message that waited/,
    },
    {
      why: "amqplib ignores options that it doesn't know: the queue's type is one of its `arguments`",
      on: "given",
      edits: [
        {
          file: receive,
          find: "{ durable: true }",
          replace: '{ durable: true, "x-queue-type": "quorum" }',
        },
      ],
      says: /exists with another x-queue-type/,
    },
    {
      why: "a program that only looks for the queue must be the second one",
      on: "given",
      edits: [{ file: receive, find: declaration, replace: "await channel.checkQueue(queue);" }],
      says: /receive did not get ready.*no queue 'hello'/,
    },
  ],
});
