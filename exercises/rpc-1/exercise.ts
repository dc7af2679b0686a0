import type { ConsumeMessage } from "amqplib";
import { type Edit, exercise, Miss } from "exercise";

const call = "src/call.ts";
const client = "src/client.ts";

/** The example's client asks one question. This one asks several at once. */
const severalAtOnce: Edit[] = [
  {
    file: client,
    find: `usage("client [n]", "client 300");
const n = integer(words[0] ?? "30") ?? refuse("n must be a whole number, 0 or more.");`,
    replace: `usage("client [n...]", "client 10 20 30");
const numbers = (words.length > 0 ? words : ["30"]).map(
  (word) => integer(word) ?? refuse("n must be a whole number, 0 or more."),
);`,
  },
  {
    file: client,
    find: `  console.log(\` [x] Requesting fib(\${n})\`);
  try {
    console.log(\` [.] Got \${text(await call(String(n)))}\`);
  }`,
    replace: `  const ask = async (n: number) => {
    console.log(\` [x] Requesting fib(\${n})\`);
    try {
      console.log(\` [.] fib(\${n}) is \${text(await call(String(n)))}\`);
    }`,
  },
  {
    file: client,
    find: ` catch (error) {
    if (!(error instanceof CallError)) throw error;
    console.error(\` [!] \${text(error.message)}\`);
    process.exitCode = 1;
  }
`,
    replace: ` catch (error) {
      if (!(error instanceof CallError)) throw error;
      console.error(\` [!] \${text(error.message)}\`);
      process.exitCode = 1;
    }
  };
  await Promise.all(numbers.map(ask));
`,
  },
];

export default exercise({
  from: "rpc",
  files: [call],
  given: [
    ...severalAtOnce,
    { file: call, find: 'import { randomUUID } from "node:crypto";\n', replace: "" },
    {
      file: call,
      find: "const waiting = new Map<string, (answer: ConsumeMessage | Error) => void>();",
      replace: "const waiting: ((answer: ConsumeMessage | Error) => void)[] = [];",
    },
    {
      file: call,
      find: `    // An unknown correlation id is no error: the answer came too late, or twice.
    if (answer) waiting.get(answer.properties.correlationId)?.(answer);`,
      replace: `    // The server takes one request after the other.
    if (answer) waiting.shift()?.(answer);`,
    },
    {
      file: call,
      find: `channel.on("return", ({ properties }) => waiting.get(properties.correlationId)?.(noQueue));`,
      replace: `channel.on("return", () => waiting.shift()?.(noQueue));`,
    },
    { file: call, find: "of waiting.values())", replace: "of waiting)" },
    { file: call, find: "      const id = randomUUID();\n", replace: "" },
    {
      file: call,
      find: `        // AMQP 1.0 servers answer to the message id, all others to the correlation id.
        messageId: id,
        correlationId: id,
`,
      replace: "",
    },
    { file: call, find: "        waiting.delete(id);\n", replace: "" },
    { file: call, find: "waiting.set(id, settle);", replace: "waiting.push(settle);" },
  ],
  solution: severalAtOnce,

  async check({ run, channel, until }) {
    // A server that has all three requests before it answers.
    await channel.assertQueue("rpc_queue", { durable: true, arguments: { "x-queue-type": "quorum" } });
    const requests: ConsumeMessage[] = [];
    await channel.consume("rpc_queue", (request) => request && requests.push(request), { noAck: true });
    const program = run("client", "10", "20", "30");
    await program.prints(/Requesting/, "The client asked for nothing.", { within: 8_000 });
    await until(() => requests.length > 0, "The client's first request did not reach the queue rpc_queue.");
    await until(
      () => requests.length === 3,
      "The client has sent one request and waits for its answer before it sends the next one. It should send all three " +
        "at once.",
    );
    const ids = requests.map(({ properties }) => properties.correlationId);
    if (ids.every((id) => id !== undefined) && new Set(ids).size < 3)
      throw new Miss(
        "Three requests carried the same correlation id, so their answers do, and the client can't tell them apart.",
      );
    for (const { content, properties } of requests.reverse())
      channel.sendToQueue(properties.replyTo, Buffer.from(fibonacci.get(`${content}`) ?? ""), {
        correlationId: properties.correlationId ?? properties.messageId,
        type: "result",
      });
    for (const [n, answer] of fibonacci) {
      const [line = ""] = await program.prints(
        new RegExp(`fib\\(${n}\\) is `),
        `The request for ${n} was answered, and the client did not take the answer.`,
      );
      if (line !== ` [.] fib(${n}) is ${answer}`)
        throw new Miss(
          "The client sent requests for 10, 20 and 30. They were answered in another order, 30 first, and the client mixed " +
            `the answers up. It printed: ${line.trim()}`,
        );
    }
    await program.ends("The client has its answers and did not end.");
  },

  says: /the client mixed the answers up\. It printed: \[\.\] fib\(10\) is 832040/,
  wrong: [
    {
      why: "one id for the whole client says nothing about its requests",
      on: "solution",
      edits: [
        {
          file: call,
          find: `  return (body: string) =>
    new Promise<string>((resolve, reject) => {
      const id = randomUUID();`,
          replace: `  const id = randomUUID();
  return (body: string) =>
    new Promise<string>((resolve, reject) => {`,
        },
      ],
      says: /carried the same correlation id/,
    },
    {
      why: "the id is sent, but the answers are still taken in turn",
      on: "given",
      edits: [
        {
          file: call,
          find: "        replyTo,\n",
          replace: "        correlationId: crypto.randomUUID(),\n        replyTo,\n",
        },
      ],
      says: /the client mixed the answers up\. It printed: \[\.\] fib\(10\) is 832040/,
    },
    {
      why: "one request at a time mixes nothing up, but takes as long as all of them together",
      on: "given",
      edits: [
        {
          file: call,
          find: "  return (body: string) =>\n    new Promise<string>((resolve, reject) => {",
          replace: `  let before: Promise<unknown> = Promise.resolve();
  const send = (body: string) =>
    new Promise<string>((resolve, reject) => {`,
        },
        {
          file: call,
          find: `      waiting.push(settle);
    });
`,
          replace: `      waiting.push(settle);
    });
  return (body: string) => {
    const answer = before.then(() => send(body));
    before = answer.catch(() => {});
    return answer;
  };
`,
        },
      ],
      says: /waits for its answer before it sends the next one/,
    },
  ],
});

const fibonacci = new Map([
  ["10", "55"],
  ["20", "6765"],
  ["30", "832040"],
]);
