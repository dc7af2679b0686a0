import { exercise } from "exercise";

const sub = "src/sub.ts";
const declaration = 'await channel.assertExchange(exchange, "topic", { durable: false });';

export default exercise({
  from: "pubsub-fanout",
  files: [sub],
  given: [
    { file: sub, find: "import { declareLogs, exchange }", replace: "import { exchange }" },
    { file: sub, find: "await declareLogs(channel);", replace: declaration },
    { file: sub, find: 'bindQueue(queue, exchange, "")', replace: 'bindQueue(queue, exchange, "#")' },
  ],

  async check({ run, channel, until }) {
    // Another team's subscriber comes first.
    await channel.assertExchange("logs", "fanout", { durable: false });
    const { queue } = await channel.assertQueue("", { exclusive: true });
    await channel.bindQueue(queue, "logs", "");
    const second = run("sub");
    await second.ready();
    channel.publish("logs", "", Buffer.from("Hello everyone"));
    await channel.waitForConfirms();
    await until(
      async () => (await channel.checkQueue(queue)).messageCount === 1,
      "Another team's subscriber was there first. Since sub has started, it gets nothing that is published to logs: the " +
        "binding of its queue is gone.",
    );
    await second.prints(
      " [x] Hello everyone",
      "The subscriber got nothing of what was published to the exchange logs.",
    );
    second.terminate();
    await second.ends("The subscriber did not end on SIGTERM.");

    // Our subscriber comes first.
    await channel.deleteExchange("logs");
    const first = run("sub");
    await first.ready();
    await run("pub", "Good evening").ends("A subscriber runs, and pub did not end.");
    await first.prints(
      " [x] Good evening",
      "A subscriber that was started before all others did not get what pub published.",
    );
  },

  says: /exchange "logs" exists with another type/,
  wrong: [
    {
      why: "amqplib declares an exchange as durable unless told otherwise",
      on: "given",
      edits: [{ file: sub, find: '"topic", { durable: false }', replace: '"fanout"' }],
      says: /exchange "logs" exists with another durable/,
    },
    {
      why: "deleting the exchange deletes the other programs' bindings",
      on: "given",
      edits: [
        {
          file: sub,
          find: declaration,
          replace: `await channel.deleteExchange(exchange);\n  ${declaration}`,
        },
      ],
      says: /Another team's subscriber .* gets nothing/,
    },
    {
      why: "an exchange of another name isn't refused, but no program publishes to it",
      on: "given",
      edits: [
        { file: sub, find: declaration, replace: declaration.replace("exchange,", '"logs_by_topic",') },
        { file: sub, find: "bindQueue(queue, exchange,", replace: 'bindQueue(queue, "logs_by_topic",' },
      ],
      says: /The subscriber got nothing of what was published to the exchange logs/,
    },
  ],
});
