import amqp, { type ConfirmChannel } from "amqplib";
import { exercise, Miss } from "exercise";

const topology = "src/topology.ts";

const everything = `{ configure: ".*", write: ".*", read: ".*" }`;

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.
const publisher = '{ configure: "^$", write: `^${exchange}$`, read: "^$" }';
const subscriber =
  '{ configure: "^amq\\\\.gen-", write: "^amq\\\\.gen-", read: `^(${exchange}$|amq\\\\.gen-)` }';
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.

/** What neither of the two has to do. Each is tried on a channel of its own. */
const misdeeds: {
  role: "publisher" | "subscriber";
  words: string;
  work: (channel: ConfirmChannel) => unknown;
}[] = [
  {
    role: "publisher",
    words: "take messages out of the queue orders",
    work: (channel) => channel.get("orders"),
  },
  {
    role: "publisher",
    words: "put messages into the queue orders, through the default exchange",
    work: send("", "orders"),
  },
  {
    role: "publisher",
    words: "publish to the exchange alerts_archive, whose name only begins like that of its own",
    work: send("alerts_archive", "disk.full"),
  },
  {
    role: "publisher",
    words: "declare the exchange alerts, and delete it",
    work: (channel) => channel.assertExchange("alerts", "topic"),
  },
  {
    role: "publisher",
    words: "declare queues",
    work: (channel) => channel.assertQueue("", { exclusive: true }),
  },
  {
    role: "publisher",
    words: "publish alerts on cpu.hot, and not only on disks",
    work: send("alerts", "cpu.hot"),
  },
  { role: "subscriber", words: "publish alerts", work: send("alerts", "disk.full") },
  {
    role: "subscriber",
    words: "take messages out of the queue orders",
    work: (channel) => channel.get("orders"),
  },
  {
    role: "subscriber",
    words: "declare the exchange alerts, and delete it",
    work: (channel) => channel.assertExchange("alerts", "topic"),
  },
];

export default exercise({
  from: "permissions",
  files: [topology],
  given: [
    { file: topology, find: `publisher: ${publisher}`, replace: `publisher: ${everything}` },
    { file: topology, find: `subscriber: ${subscriber}`, replace: `subscriber: ${everything}` },
    {
      file: topology,
      find: `publisher: { exchange, write: "^disk\\\\.", read: "^$" }`,
      replace: `publisher: { exchange, write: ".*", read: ".*" }`,
    },
    {
      file: topology,
      find: `subscriber: { exchange, write: "^$", read: ".*" }`,
      replace: `subscriber: { exchange, write: ".*", read: ".*" }`,
    },
  ],

  async check({ run, runWith, channel, amqpUrl, broker }) {
    await channel.assertQueue("orders", { durable: true });
    await channel.assertExchange("alerts_archive", "topic");

    const users = runWith({ env: { RABBITMQ_MANAGEMENT_URL: broker.managementUrl } }, "users");
    try {
      await users.ready();
      const sub = run("sub");
      await sub.ready();
      const pub = run("pub", "disk.full", "Disk full");
      await pub.ends("pub did not end.");
      await sub.prints(" [x] disk.full: 'Disk full'", "The subscriber did not get the alert disk.full.");

      const [, ...names] = /Created (publisher-\S+) and (subscriber-\S+)\./.exec(users.lines.join()) ?? [];
      // Only pub and sub know the passwords, and they are done.
      const password = "guess";
      for (const name of names) await broker.management("PUT", `/users/${name}`, { password, tags: "" });
      for (const { role, words, work } of misdeeds) {
        const username = names.find((name) => name.startsWith(role)) ?? "";
        if (await succeeds(Object.assign(new URL(amqpUrl), { username, password }).href, work))
          throw new Miss(
            `The ${role} may ${words}. That is not its job, and an attacker who has its password may do so as well.`,
          );
      }
    } finally {
      users.press("^C");
      await users.exit;
    }
  },

  says: /The publisher may take messages out of the queue orders/,
  wrong: [
    {
      why: "a pattern without ^ and $ also fits names that only contain it",
      on: "solution",
      edits: [{ file: topology, find: publisher, replace: publisher.replace(/`.*?`/, "exchange") }],
      says: /The publisher may publish to the exchange alerts_archive/,
    },
    {
      why: "what may be declared may be deleted, and the subscriber declares only its own queue",
      on: "solution",
      edits: [
        {
          file: topology,
          find: subscriber,
          replace: subscriber.replace(/configure: "[^"]*"/, `configure: ".*"`),
        },
      ],
      says: /The subscriber may declare the exchange alerts, and delete it/,
    },
    {
      why: "to bind its queue, the subscriber has to read from the exchange",
      on: "solution",
      edits: [
        {
          file: topology,
          find: subscriber,
          replace: subscriber.replace(/read: `.*?`/, `read: "^amq\\\\.gen-"`),
        },
      ],
      says: /sub ended with: .*access to exchange 'alerts'/,
    },
  ],
});

function send(exchange: string, routingKey: string) {
  return (channel: ConfirmChannel) => {
    channel.publish(exchange, routingKey, Buffer.from("An alert"));
    return channel.waitForConfirms();
  };
}

/** Whether the broker lets a user do something. */
async function succeeds(url: string, work: (channel: ConfirmChannel) => unknown): Promise<boolean> {
  const connection = await amqp.connect(url, { noDelay: true });
  try {
    const channel = await connection.createConfirmChannel();
    const refused = new Promise<never>((_, reject) => channel.on("error", reject));
    await Promise.race([work(channel), refused]);
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}
