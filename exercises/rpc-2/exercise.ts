import { type Edit, exercise, Miss } from "exercise";

const call = "src/call.ts";
const client = "src/client.ts";
const queue = "rpc_queue";

const timer = `      const late = new CallError(\`No answer within \${deadline / 1000} s. Is a server running?\`);
      const timer = setTimeout(settle, deadline, late);
`;
const clearTimer = "        clearTimeout(timer);\n";
const expiration = "        expiration: deadline,\n";

const shortDeadline: Edit = { file: client, find: "deadline: 5_000", replace: "deadline: 1_000" };
const without = (find: string): Edit => ({ file: call, find, replace: "" });

export default exercise({
  from: "rpc",
  files: [call],
  given: [shortDeadline, without(timer), without(clearTimer), without(expiration)],
  solution: [shortDeadline],

  async check({ run, channel, until }) {
    await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
    const unanswered = run("client");
    await unanswered.prints(/Requesting/, "The client asked for nothing.", { within: 8_000 });
    if (!(await unanswered.until(() => unanswered.ended !== undefined, 4_000)))
      throw new Miss(
        "No server is running, and the client still waits after 4 s, although its deadline is 1 s: it would wait for ever.",
      );
    await unanswered.prints(/^ \[!\] /, "No server is running, and the client did not report a CallError.");
    await until(
      async () => (await channel.checkQueue(queue)).messageCount === 0,
      "The client has given up, and its request is still in the queue rpc_queue. A server that starts tomorrow does the " +
        "work, and no client waits for the answer.",
    );

    await channel.consume(
      queue,
      (request) => {
        if (!request) return;
        const { replyTo, correlationId } = request.properties;
        channel.sendToQueue(replyTo, Buffer.from("832040"), { correlationId, type: "result" });
      },
      { noAck: true },
    );
    const answered = run("client");
    await answered.prints(
      " [.] Got 832040",
      "A server answered at once, well within the client's deadline of 1 s, and the client did not take the answer.",
      { within: 8_000 },
    );
    await answered.ends("The client has its answer and did not end.");
  },

  says: /still waits after 4 s, although its deadline is 1 s/,
  wrong: [
    {
      why: "a timer in the client doesn't take the request out of the queue",
      on: "solution",
      edits: [without(expiration)],
      says: /The client has given up, and its request is still in the queue/,
    },
    {
      why: "the broker drops a request that expires, and tells no client",
      on: "solution",
      edits: [without(timer), without(clearTimer)],
      says: /still waits after 4 s, although its deadline is 1 s/,
    },
    {
      why: "setTimeout counts in ms, as the deadline does",
      on: "solution",
      edits: [
        {
          file: call,
          find: "setTimeout(settle, deadline, late)",
          replace: "setTimeout(settle, deadline / 1000, late)",
        },
      ],
      says: /A server answered at once.*did not take the answer/,
    },
  ],
});
