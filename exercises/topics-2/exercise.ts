import { type Edit, exercise, Miss } from "exercise";

const sub = "src/sub.ts";
const bindings = "for (const pattern of patterns) await channel.bindQueue(queue, exchange, pattern);";

/** The example's subscriber as a service: with fixed patterns, and a queue that stays. */
const service: Edit[] = [
  {
    file: sub,
    find: `const { words: patterns } = usage("sub <pattern>...", 'sub "kern.*" "*.critical"');`,
    replace: `usage("sub", "sub");
const patterns = ["*.critical"];`,
  },
  {
    file: sub,
    find: `  // A queue of our own. The broker names it, and deletes it when we disconnect.
  const { queue } = await channel.assertQueue("", { exclusive: true });`,
    replace: `  // The queue stays when we disconnect, so that we miss nothing.
  const queue = "audit";
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });`,
  },
  {
    file: sub,
    find: `handle(({ fields, content }) =>
    console.log(\` [x] \${text(fields.routingKey)}:'\${text(content)}'\`),
  );
  await channel.consume(queue, print, { noAck: true });`,
    replace: `handle((delivery) => {
    console.log(\` [x] \${text(delivery.fields.routingKey)}:'\${text(delivery.content)}'\`);
    channel.ack(delivery);
  });
  await channel.consume(queue, print);`,
  },
];

const unbound = (pattern: string): Edit => ({
  file: sub,
  find: bindings,
  replace: `${bindings}
  // The queue keeps its bindings, also those that an earlier version of this program has made.
  await channel.unbindQueue(queue, exchange, "${pattern}");`,
});

export default exercise({
  from: "topics",
  files: [sub],
  given: service,
  solution: [...service, unbound("kern.*")],

  async check({ run, channel }) {
    const publish = async (key: string, text: string, mandatory = false) => {
      channel.publish("topic_logs", key, Buffer.from(text), { mandatory });
      await channel.waitForConfirms();
    };
    // What last week's version has left on the broker.
    await channel.assertExchange("topic_logs", "topic", { durable: false });
    await channel.assertQueue("audit", { durable: true, arguments: { "x-queue-type": "quorum" } });
    for (const pattern of ["kern.*", "*.critical"]) await channel.bindQueue("audit", "topic_logs", pattern);
    await publish("mail.critical", "No room for mail");

    const program = run("sub");
    await program.ready();
    await program.prints(
      " [x] mail.critical:'No room for mail'",
      "A critical message waited in the queue audit while the service was not running, and it is lost.",
    );
    await publish("kern.info", "Boot finished");
    await publish("kern.critical", "Disk full");
    await program.prints(
      " [x] kern.critical:'Disk full'",
      "The service did not get the message with the key kern.critical, which *.critical matches.",
    );
    if (program.lines.some((line) => line.startsWith(" [x] kern.info:")))
      throw new Miss(
        "The service still gets the message with the key kern.info: the queue audit is still bound with kern.*, as last " +
          "week's version has bound it.",
      );
    // The broker returns a mandatory message that gets into no queue, and confirms it then.
    let returned = false;
    channel.once("return", () => {
      returned = true;
    });
    await publish("kern.info", "Mouse found", true);
    if (!returned)
      throw new Miss(
        "The service no longer prints the message with the key kern.info, but the broker still puts it into the queue " +
          "audit, which is still bound with kern.*: each such message is stored and sent for nothing.",
      );
  },

  says: /still gets the message with the key kern\.info.*still bound with kern\.\*/,
  wrong: [
    {
      why: "deleting the queue deletes the messages in it",
      on: "given",
      edits: [
        {
          file: sub,
          find: 'const queue = "audit";',
          replace: 'const queue = "audit";\n  await channel.deleteQueue(queue);',
        },
      ],
      says: /waited in the queue audit .* it is lost/,
    },
    {
      why: "what the handler leaves out has been stored and sent all the same",
      on: "given",
      edits: [
        {
          file: sub,
          find: "console.log(` [x] ",
          replace: `if (!delivery.fields.routingKey.endsWith(".critical")) return channel.ack(delivery);
    console.log(\` [x] `,
        },
      ],
      says: /no longer prints .* still puts it into the queue/,
    },
    {
      why: "a binding is removed by its own pattern: # stands for no others",
      on: "given",
      edits: [unbound("#")],
      says: /still gets the message with the key kern\.info/,
    },
  ],
});
