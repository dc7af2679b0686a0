import { exercise, Miss } from "exercise";

const sub = "src/sub.ts";

const remembers = `
    // After a reconnection the setup runs again and goes on here. The broker doesn't remember how far we have read.
    from = offset + 1;`;

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.
const prints = "console.log(` [x] ${offset}: ${text(event.content)}`);";
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.

export default exercise({
  from: "streams",
  files: [sub],
  given: [
    { file: sub, find: remembers, replace: "" },
    { file: sub, find: "let from =", replace: "const from =" },
  ],

  async check({ run, runWith, channel, amqpUrl, wireTo }) {
    const tick = run("pub", "--count", "3", "Tick");
    await tick.ends("pub did not end.");

    const wire = await wireTo(amqpUrl);
    const reader = runWith({ amqpUrl: wire.amqpUrl }, "sub", "--from", "1");
    await reader.prints(/: Tick 3$/, "The reader did not get all events.", { within: 8_000 });
    await wire.unplug();
    const publish = async (event: string) => {
      channel.sendToQueue("events", Buffer.from(event));
      await channel.waitForConfirms();
    };
    await publish("Missed");
    await wire.plugIn();
    await reader.prints(/Waiting for events/, "The reader did not come back after its connection was lost.", {
      times: 2,
      within: 8_000,
    });
    await publish("Tock");
    await reader.prints(/: Tock$/, "The reader came back after its connection was lost, and gets no events.");

    const read = reader.lines.flatMap((line) => /^ \[x\] \d+: (.*)$/.exec(line)?.[1] ?? []);
    const again = read.find((event, index) => read.indexOf(event) < index);
    if (again)
      throw new Miss(
        `The reader lost its connection and came back. Then it read "${again}" again, which it had read before.`,
      );
    if (!read.includes("Missed"))
      throw new Miss(
        "The reader lost its connection and came back. It never read the event that was published meanwhile.",
      );
  },

  says: /Then it read "Tick 2" again/,
  wrong: [
    {
      why: "the offset of the last event is where that event is",
      on: "solution",
      edits: [{ file: sub, find: "from = offset + 1;", replace: "from = offset;" }],
      says: /Then it read "Tick 3" again/,
    },
    {
      why: "next begins with what comes from now on",
      on: "solution",
      edits: [{ file: sub, find: "from = offset + 1;", replace: `from = "next";` }],
      says: /never read the event that was published meanwhile/,
    },
    {
      why: "how many events were read is an offset only for one who began with the first",
      on: "given",
      edits: [
        { file: sub, find: "const from =", replace: "let from =" },
        {
          file: sub,
          find: "await consume(async (channel) => {",
          replace: "let count = 0;\n\nawait consume(async (channel) => {",
        },
        { file: sub, find: prints, replace: `${prints}\n    from = ++count;` },
      ],
      says: /Then it read "Tick 3" again/,
    },
  ],
});
