import { exercise, Miss } from "exercise";

const pattern = (binding: string) => ({
  file: "src/sub.ts",
  find: "for (const pattern of patterns) await channel.bindQueue(queue, exchange, pattern);",
  replace: `for (const facility of facilities) await channel.bindQueue(queue, exchange, ${binding});`,
});

// The example's subscriber takes patterns. This one takes facilities, and makes the patterns itself.
const facilities = {
  file: "src/sub.ts",
  find: `const { words: patterns } = usage("sub <pattern>...", 'sub "kern.*" "*.critical"');`,
  replace: `const { words: facilities } = usage("sub <facility>...", "sub kern cron");`,
};

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.
export default exercise({
  from: "topics",
  files: ["src/sub.ts"],
  given: [facilities, pattern("`${facility}.*`")],
  solution: [facilities, pattern("`${facility}.#`")],

  async check({ run, channel }) {
    const sub = run("sub", "kern");
    await sub.ready();
    const keys = ["kern.critical", "kern.disk.full", "kern", "cron.info", "kernel.info", "kern.last"];
    for (const key of keys) channel.publish("topic_logs", key, Buffer.from("news"));
    await channel.waitForConfirms();

    for (const key of ["kern.critical", "kern.disk.full", "kern"])
      await sub.prints(
        ` [x] ${key}:'news'`,
        `The subscriber of kern did not get the message with the key ${key}: no pattern that its queue is bound ` +
          "with matches this key.",
      );
    await sub.prints(" [x] kern.last:'news'", "The subscriber of kern did not get kern.last.");
    for (const key of ["cron.info", "kernel.info"])
      if (sub.lines.includes(` [x] ${key}:'news'`))
        throw new Miss(
          `The subscriber of kern also got the message with the key ${key}, which is another facility's.`,
        );
  },

  says: /did not get the message with the key kern\.disk\.full/,
  wrong: [
    {
      why: "each * is exactly one word",
      on: "given",
      edits: [{ file: "src/sub.ts", find: "`${facility}.*`", replace: "`${facility}.*.*`" }],
      says: /did not get the message with the key kern\.critical/,
    },
    {
      why: "a * before the # asks for one word at least",
      on: "solution",
      edits: [{ file: "src/sub.ts", find: "`${facility}.#`", replace: "`${facility}.*.#`" }],
      says: /did not get the message with the key kern:/,
    },
    {
      why: "# alone takes everything",
      on: "solution",
      edits: [{ file: "src/sub.ts", find: "`${facility}.#`", replace: '"#"' }],
      says: /also got the message with the key cron\.info/,
    },
  ],
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.
