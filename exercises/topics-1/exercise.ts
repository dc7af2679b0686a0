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

export default exercise({
  from: "topics",
  files: ["src/sub.ts"],
  given: [facilities, pattern("`${facility}.*`")],
  solution: [facilities, pattern("`${facility}.#`")],

  async check({ run, channel }) {
    const sub = run("sub", "kern");
    await sub.ready();
    // The last one has a key that most answers take. When it is there, what came before it is there or won't come.
    const others = ["cron.info", "kernel.info"];
    const own = ["kern", "kern.disk.full", "kern.critical"];
    for (const key of [...others, ...own]) channel.publish("topic_logs", key, Buffer.from("news"));
    await channel.waitForConfirms();
    const missed = (key: string) =>
      `The subscriber of kern did not get the message with the key ${key}: its queue is bound with no pattern that ` +
      "matches this key.";
    await sub.prints(" [x] kern.critical:'news'", missed("kern.critical"));

    const got = (key: string) => sub.lines.includes(` [x] ${key}:'news'`);
    for (const key of own) if (!got(key)) throw new Miss(missed(key));
    for (const key of others)
      if (got(key))
        throw new Miss(
          `The subscriber of kern also got the message with the key ${key}, which isn't of kern.`,
        );
  },

  says: /did not get the message with the key kern:/,
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
