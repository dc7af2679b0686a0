import { exercise, Miss } from "exercise";

const headers = "src/headers.ts";
const given = "headers.set(name, word.slice(end + 1));";

export default exercise({
  from: "headers",
  files: [headers],
  given: [{ file: headers, find: "headers.set(name, readValue(word.slice(end + 1)));", replace: given }],

  async check({ run, channel, until }) {
    const sub = run("sub", "weight=5");
    await sub.ready();
    // A program in another language.
    channel.publish("shipments", "", Buffer.from("A parcel"), { headers: { weight: 5 } });
    await channel.waitForConfirms();
    await sub.prints(
      " [x] weight=5: 'A parcel'",
      "A shipment was published whose weight is the number 5, and the subscriber of weight=5 did not get it: its queue is " +
        "bound with another value, such as the string.",
    );

    // It asks for no header, so it gets every shipment.
    const { queue } = await channel.assertQueue("", { exclusive: true });
    await channel.bindQueue(queue, "shipments", "");
    let sent: Record<string, unknown> | undefined;
    await channel.consume(queue, (message) => {
      sent = message?.properties.headers;
    });
    const meant = { weight: 5, fragile: true, delivery_method: "air", zip: "01067", box: "7" };
    const words = ["weight=5", "fragile=true", "delivery_method=air", "zip=01067", 'box="7"'];
    await run("pub", ...words).ends("pub did not end.");
    await until(() => sent !== undefined, "pub has ended, and the broker has got no shipment from it.");
    for (const [index, [name, value]] of Object.entries(meant).entries())
      if (!Object.is(sent?.[name], value))
        throw new Miss(
          `For ${words[index]}, pub sent ${inWords(sent?.[name])}, and not ${inWords(value)}: no binding that asks for ` +
            "that matches.",
        );
  },

  says: /subscriber of weight=5 did not get it/,
  wrong: [
    {
      why: "what is no number becomes NaN",
      on: "given",
      edits: [{ file: headers, find: given, replace: "headers.set(name, Number(word.slice(end + 1)));" }],
      says: /pub ended with: RangeError: The number NaN/,
    },
    {
      why: "most words are no JSON",
      on: "given",
      edits: [{ file: headers, find: given, replace: "headers.set(name, JSON.parse(word.slice(end + 1)));" }],
      says: /pub ended with: SyntaxError: .*src\/headers\.ts/,
    },
    {
      why: "a postcode is no number, though it has digits only",
      on: "given",
      edits: [
        {
          file: headers,
          find: given,
          replace: `const value = word.slice(end + 1);
    const number = Number(value);
    if (value === "true" || value === "false") headers.set(name, value === "true");
    else headers.set(name, Number.isNaN(number) ? value : number);`,
        },
      ],
      says: /For zip=01067, pub sent the number 1067, and not the string "01067"/,
    },
  ],
});

const inWords = (value: unknown) =>
  value === undefined
    ? "nothing"
    : `the ${typeof value} ${Number.isNaN(value) ? "NaN" : JSON.stringify(value)}`;
