import { exercise, Miss } from "exercise";

const strategies = "src/strategies.ts";
const pub = "src/pub.ts";

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.
/** `pub` also says how many messages were in its memory. */
const counts = [
  {
    file: pub,
    find: "  const publish = (number: number) => {",
    replace: "  let most = 0;\n  const publish = (number: number) => {",
  },
  {
    file: pub,
    find: 'return publisher.publish("", queue, Buffer.from(`Message ${number} of ${count}`), options).catch(giveUp);',
    replace: `const content = Buffer.from(\`Message \${number} of \${count}\`);
    const confirmed = publisher.publish("", queue, content, options).catch(giveUp);
    most = Math.max(most, publisher.unconfirmed);
    return confirmed;`,
  },
  {
    file: pub,
    find: "in ${Math.round(ms)} ms (${rate} msg/s)`);",
    replace:
      "in ${Math.round(ms)} ms (${rate} msg/s)`);\n  console.log(` [x] At most ${most} were unconfirmed at a time`);",
  },
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.

const loop = `for (let number = 1; number <= count; number++) {
    await room();
    confirms.push(publish(number));
  }`;

export default exercise({
  from: "publisher-confirms",
  files: [strategies],
  given: [
    ...counts,
    {
      file: strategies,
      find: "asynchronously: Strategy = async (publish, count, room)",
      replace: "asynchronously: Strategy = async (publish, count)",
    },
    {
      file: strategies,
      find: loop,
      replace: "for (let number = 1; number <= count; number++) confirms.push(publish(number));",
    },
    {
      file: strategies,
      find: "/** Publishes while confirms arrive, many at a time. It waits only when too many messages are unconfirmed. */",
      replace: "/** Publishes while confirms arrive. */",
    },
  ],
  solution: counts,

  async check({ runWith, amqpUrl, wireTo, until }) {
    const count = 5_000;
    const wire = await wireTo(amqpUrl);
    let published = 0;
    wire.on("said", ({ method }) => {
      if (method === "basic.publish") published++;
    });
    wire.holdWhen(({ method }) => method === "basic.ack");
    const program = runWith({ amqpUrl: wire.amqpUrl }, "pub", "async", "--count", String(count));
    await until(
      () => published >= 50 || program.ended !== undefined,
      "While no confirm came, pub did not go on. It waits for the confirm of each message before it publishes the next.",
      { within: 5_000 },
    );
    wire.release();
    await program.prints(/Published 5000 messages asynchronously/, "pub did not publish 5000 messages.", {
      within: 8_000,
    });
    const [line = ""] = await program.prints(
      /At most \d+ were/,
      "pub did not say how many were unconfirmed.",
    );
    await program.ends("pub did not end.");
    const most = Number(/\d+/.exec(line));
    if (most > 1_000)
      throw new Miss(
        `pub had ${most} messages in its memory at a time, of ${count} that it published. With a million, and a broker ` +
          "that is slow for a moment, it would run out of memory.",
      );
  },

  says: /had 5000 messages in its memory/,
  wrong: [
    {
      why: "one message at a time is a window as well, and a very slow one",
      on: "given",
      edits: [
        { file: strategies, find: "confirms.push(publish(number));", replace: "await publish(number);" },
      ],
      says: /waits for the confirm of each message/,
    },
    {
      why: "there is room before the loop; it is used up in the loop",
      on: "solution",
      edits: [
        {
          file: strategies,
          find: loop,
          replace: `await room();
  for (let number = 1; number <= count; number++) confirms.push(publish(number));`,
        },
      ],
      says: /had 5000 messages in its memory/,
    },
    {
      why: "letting the socket write is no limit to what is unconfirmed",
      on: "given",
      edits: [
        {
          file: strategies,
          find: "confirms.push(publish(number));",
          replace: `{
    confirms.push(publish(number));
    if (number % 1_000 === 0) await new Promise(setImmediate);
  }`,
        },
      ],
      says: /had \d+ messages in its memory/,
    },
  ],
});
