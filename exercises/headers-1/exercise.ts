import { exercise, Miss } from "exercise";

const sub = "src/sub.ts";
const binding = 'await channel.bindQueue(queue, exchange, "", { ...wanted, "x-match": match });';

export default exercise({
  from: "headers",
  files: [sub],
  given: [
    {
      file: sub,
      find: binding,
      replace: `for (const [name, value] of Object.entries(wanted))
    await channel.bindQueue(queue, exchange, "", { [name]: value, "x-match": match });`,
    },
  ],

  async check({ run, channel }) {
    const both = run("sub", "destination=New York", "delivery_method=air");
    const any = run("sub", "--any", "destination=Los Angeles", "delivery_method=sea");
    for (const program of [both, any]) await program.ready();
    const ship = (destination: string, method: string, text: string) =>
      channel.publish("shipments", "", Buffer.from(text), {
        headers: { destination, delivery_method: method },
      });
    const line = (destination: string, method: string, text: string) =>
      ` [x] delivery_method=${method} destination="${destination}": '${text}'`;
    for (const destination of ["New York", "Los Angeles"])
      for (const method of ["air", "sea"]) ship(destination, method, "A parcel");
    // A queue keeps its order, so whatever else it got comes before these.
    ship("New York", "air", "The last");
    ship("Los Angeles", "sea", "The last");
    await channel.waitForConfirms();

    await both.prints(
      line("New York", "air", "The last"),
      "The subscriber of destination=New York and delivery_method=air did not get a shipment to New York by air.",
    );
    for (const [destination, method] of [
      ["New York", "sea"],
      ["Los Angeles", "air"],
    ] as const)
      if (both.lines.includes(line(destination, method, "A parcel")))
        throw new Miss(
          "The subscriber of destination=New York and delivery_method=air also got a shipment to " +
            `${destination} by ${method}: one matching header was enough.`,
        );
    for (const [destination, method] of [
      ["Los Angeles", "air"],
      ["New York", "sea"],
      ["Los Angeles", "sea"],
    ] as const)
      await any.prints(
        line(destination, method, "A parcel"),
        "With --any, the subscriber of destination=Los Angeles and delivery_method=sea did not get a shipment to " +
          `${destination} by ${method}, although one matching header should be enough.`,
      );
    if (any.lines.includes(line("New York", "air", "A parcel")))
      throw new Miss(
        "With --any, the subscriber of destination=Los Angeles and delivery_method=sea also got a shipment to New York by " +
          "air, of which nothing matches.",
      );
  },

  says: /also got a shipment to New York by sea: one matching header was enough/,
  wrong: [
    {
      why: "each binding asks for all of its headers, but it has only one",
      on: "given",
      edits: [{ file: sub, find: '"x-match": match', replace: '"x-match": "all"' }],
      says: /also got a shipment to New York by sea: one matching header was enough/,
    },
    {
      why: "with any, one matching header is enough",
      on: "solution",
      edits: [{ file: sub, find: '"x-match": match', replace: '"x-match": "any"' }],
      says: /also got a shipment to New York by sea: one matching header was enough/,
    },
    {
      why: "without x-match, all headers must match",
      on: "solution",
      edits: [{ file: sub, find: '{ ...wanted, "x-match": match }', replace: "wanted" }],
      says: /With --any, .* did not get a shipment to Los Angeles by air/,
    },
  ],
});
