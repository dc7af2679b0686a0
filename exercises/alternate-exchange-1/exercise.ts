import { exercise, Miss } from "exercise";

const topology = "src/topology.ts";
const guarded = 'await channel.assertExchange(exchanges.guarded, "direct");';
const withAlternate =
  'await channel.assertExchange(exchanges.guarded, "direct", { alternateExchange: unrouted });';

export default exercise({
  from: "alternate-exchange",
  files: [topology],
  given: [
    {
      file: topology,
      find: "What `guarded` can't route goes to its alternate exchange. */",
      replace: "What `guarded` can't route must not be. */",
    },
    {
      file: topology,
      find: "/** The name of the alternate exchange and of its queue. */",
      replace: "/** The queue for orders that no shop gets. */",
    },
    {
      file: topology,
      find: `/**
 * Declares both exchanges, and the alternate exchange with its queue. All programs call it, because an alternate
 * exchange without a queue keeps no message.
 */`,
      replace:
        "/** Declares both exchanges, and the queue for orders that no shop gets. All programs call it. */",
    },
    {
      file: topology,
      find: `  // It is a fanout exchange, so that its queue gets every message, whatever the routing key.
  await channel.assertExchange(unrouted, "fanout");
`,
      replace: "",
    },
    { file: topology, find: '  await channel.bindQueue(unrouted, unrouted, "");\n', replace: "" },
    { file: topology, find: withAlternate, replace: guarded },
  ],

  async check({ run, channel, broker, virtualHost }) {
    const shop = run("sub");
    const unrouted = run("unrouted");
    for (const program of [shop, unrouted]) await program.ready();
    const name = "orders_with_alternate";
    const orders = [
      ["europe", "A bicycle"],
      ["atlantis", "A boat"],
    ] as const;
    for (const [key, order] of orders) channel.publish(name, key, Buffer.from(order));
    await channel.waitForConfirms();

    const exchanges = await broker.management<Exchange[]>("GET", `/exchanges/${virtualHost.name}`);
    const alternate = exchanges.find((exchange) => exchange.name === name)?.arguments["alternate-exchange"];
    const why = !alternate
      ? "it has no alternate exchange."
      : exchanges.some((exchange) => exchange.name === alternate)
        ? `its alternate exchange ${alternate} got the order with the same key, and has no binding that matches it.`
        : `there is no exchange with the name of its alternate exchange, ${alternate}.`;
    await unrouted.prints(
      ` [x] ${name} had no queue for atlantis: 'A boat'`,
      "An order from Atlantis was published, the broker confirmed it, and it is lost. The exchange " +
        `${name} has no binding for it, and ${why}`,
    );
    await shop.prints(
      " [x] europe: 'A bicycle'",
      "An order from Europe was published, and the shop for Europe did not get it.",
    );
    if (unrouted.lines.some((line) => line.includes("A bicycle")))
      throw new Miss("The shop for Europe got its order, and the queue unrouted got it as well.");
  },

  says: /it is lost.*it has no alternate exchange/,
  wrong: [
    {
      why: "the broker accepts an alternate exchange that doesn't exist",
      on: "given",
      edits: [{ file: topology, find: guarded, replace: withAlternate }],
      says: /it is lost.*there is no exchange with the name of its alternate exchange/,
    },
    {
      why: "the message keeps its key, and a direct exchange has a binding for none but its own",
      on: "solution",
      edits: [
        {
          file: topology,
          find: 'assertExchange(unrouted, "fanout")',
          replace: 'assertExchange(unrouted, "direct")',
        },
      ],
      says: /it is lost.*has no binding that matches/,
    },
    {
      why: "a direct exchange takes # for a key like any other",
      on: "given",
      edits: [
        {
          file: topology,
          find: guarded,
          replace: `${guarded}\n  await channel.bindQueue(unrouted, exchanges.guarded, "#");`,
        },
      ],
      says: /it is lost.*it has no alternate exchange/,
    },
  ],
});

interface Exchange {
  name: string;
  arguments: Record<string, string>;
}
