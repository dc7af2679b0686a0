import { exercise, Miss } from "exercise";

const sub = "src/sub.ts";
const bindings = "for (const severity of severities) await channel.bindQueue(queue, exchange, severity);";

export default exercise({
  from: "routing-direct",
  files: [sub],
  given: [
    {
      file: sub,
      find: 'const { words: severities } = usage("sub <severity>...", "sub warning error");',
      replace: `const { words } = usage("sub <severity>...", "sub warning error");
const [severity = ""] = words;`,
    },
    { file: sub, find: bindings, replace: "await channel.bindQueue(queue, exchange, severity);" },
  ],

  async check({ run, channel }) {
    const program = run("sub", "warning", "error");
    await program.ready();
    const logs = [
      ["warning", "Disk nearly full"],
      ["error", "Disk full"],
      ["info", "Boot finished"],
    ] as const;
    for (const [severity, message] of logs) channel.publish("direct_logs", severity, Buffer.from(message));
    // A queue keeps its order, so whatever else it got comes before these two.
    for (const severity of ["warning", "error"])
      channel.publish("direct_logs", severity, Buffer.from("Disk replaced"));
    await channel.waitForConfirms();

    for (const severity of ["warning", "error"])
      await program.prints(
        new RegExp(`^ \\[x\\] ${severity}: 'Disk replaced'$`),
        `The subscriber of warning and error did not get the message with the key ${severity}: the queue that it reads is ` +
          "not bound with this key.",
      );
    for (const [severity, message] of logs)
      if (program.lines.includes(` [x] ${severity}: '${message}'`) !== (severity !== "info"))
        throw new Miss(
          severity === "info"
            ? "The subscriber of warning and error also got a message with the key info, which it had not asked for."
            : `The subscriber of warning and error did not get the first message with the key ${severity}.`,
        );
  },

  says: /did not get the message with the key error/,
  wrong: [
    {
      why: "a direct exchange compares the whole key: it knows no lists",
      on: "solution",
      edits: [
        {
          file: sub,
          find: bindings,
          replace: 'await channel.bindQueue(queue, exchange, severities.join(" "));',
        },
      ],
      says: /did not get the message with the key warning/,
    },
    {
      why: "with all severities bound, it also gets what it hasn't asked for",
      on: "given",
      edits: [
        {
          file: sub,
          find: "await channel.bindQueue(queue, exchange, severity);",
          replace:
            'for (const key of ["info", "warning", "error"]) await channel.bindQueue(queue, exchange, key);',
        },
      ],
      says: /also got a message with the key info/,
    },
    {
      why: "with a queue for each severity, only the last one is read",
      on: "solution",
      edits: [
        {
          file: sub,
          find: `const { queue } = await channel.assertQueue("", { exclusive: true });
  ${bindings}`,
          replace: `let queue = "";
  for (const severity of severities) {
    ({ queue } = await channel.assertQueue("", { exclusive: true }));
    await channel.bindQueue(queue, exchange, severity);
  }`,
        },
      ],
      says: /did not get the message with the key warning/,
    },
  ],
});
