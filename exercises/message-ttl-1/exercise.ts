import { type Edit, exercise, Miss } from "exercise";

const topology = "src/topology.ts";
const pub = "src/pub.ts";

/** The example's queue has a TTL of two seconds at most, and is deleted when it isn't used. This one keeps its offers. */
const given: Edit[] = [
  {
    file: topology,
    find: `/**
 * Declares both queues. The times are in ms.
 *
 * A queue that expires is deleted with its messages, and those are not dead-lettered. So it lives longer than they do.
 */`,
    replace: "/** Declares both queues. */",
  },
  {
    file: topology,
    find: `      // No offer stays longer than this, whatever its publisher asks for.
      "x-message-ttl": 2_000,
      // The queue is deleted when it has had no consumer for this long, and no program has declared or fetched from it.
      "x-expires": 8_000,
`,
    replace: "",
  },
];

/** Makes the given state one with a queue for each TTL, with this name. */
const queueForEachTtl = (name: string): Edit[] => [
  {
    file: topology,
    find: "/** Declares both queues. */",
    replace: `/**
 * Declares the queue of expired offers, and one for the offers of a TTL. An offer expires only when it is the first in
 * its queue, and where all have the same TTL, the first is the next to expire.
 *
 * @param ttl ms; without it, offers don't expire.
 * @returns The name of the offers' queue.
 */`,
  },
  {
    file: topology,
    find: "declareOffers(channel: Channel): Promise<void> {",
    replace: "declareOffers(channel: Channel, ttl?: number): Promise<string> {",
  },
  {
    file: topology,
    find: "await channel.assertQueue(queue, {",
    replace: `const name = ${name};\n  await channel.assertQueue(name, {`,
  },
  {
    file: topology,
    find: `      // The default exchange passes what has expired to the queue of this name.
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": expired,
    },
  });
`,
    replace: `      // The queue is deleted a minute after its last offer has expired.
      ...(ttl !== undefined && {
        "x-message-ttl": ttl,
        "x-expires": Math.min(ttl + 60_000, longestTtl),
      }),
      // The default exchange passes what has expired to the queue of this name.
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": expired,
    },
  });
  return name;
`,
  },
  { file: pub, find: "{ declareOffers, longestTtl, queue }", replace: "{ declareOffers, longestTtl }" },
  {
    file: pub,
    find: `  await declareOffers(channel);
  // The protocol sends the TTL as a string, though it is a number.
  const expiration = ttl === undefined ? {} : { expiration: ttl };
  channel.sendToQueue(queue, Buffer.from(offer), { contentType: "text/plain", ...expiration });`,
    replace: `  const queue = await declareOffers(channel, ttl === undefined ? undefined : Number(ttl));
  channel.sendToQueue(queue, Buffer.from(offer), { contentType: "text/plain" });`,
  },
];

export default exercise({
  from: "message-ttl",
  files: [pub, topology],
  given,
  solution: [...given, ...queueForEachTtl("ttl === undefined ? queue : `${queue}_${ttl}`")],

  async check({ run }) {
    const expired = run("expired");
    await expired.ready();
    for (const [ttl, offer] of [
      ["3600000", "Summer sale"],
      ["60000", "Happy hour"],
      ["100", "Flash sale"],
    ] as const)
      await run("pub", "--ttl", ttl, offer).ends(`pub --ttl ${ttl} did not end.`);
    await expired.prints(
      " [x] Expired: Flash sale",
      "The offer Flash sale has a TTL of 100 ms. Three seconds later it had not expired: it stands behind an offer with a " +
        "longer TTL.",
    );
    for (const offer of ["Summer sale", "Happy hour"])
      if (expired.lines.includes(` [x] Expired: ${offer}`))
        throw new Miss(`The offer ${offer} expired long before its time, with the offer Flash sale.`);
  },

  says: /100 ms\. Three seconds later it had not expired/,
  wrong: [
    {
      why: "quorum queues too let a message expire only when it is the first",
      on: "given",
      edits: [
        {
          file: topology,
          find: `    arguments: {
      "x-queue-type": "classic",`,
          replace: `    arguments: {
      "x-queue-type": "quorum",`,
        },
      ],
      says: /100 ms\. Three seconds later it had not expired/,
    },
    {
      why: "a queue for short times and one for long ones still have different TTLs in one queue",
      on: "given",
      edits: [
        {
          file: topology,
          find: "await channel.assertQueue(queue, {",
          replace: "for (const name of [queue, short])\n    await channel.assertQueue(name, {",
        },
        {
          file: topology,
          find: 'export const queue = "offers";',
          replace: 'export const queue = "offers";\nexport const short = "short_offers";',
        },
        { file: pub, find: "longestTtl, queue }", replace: "longestTtl, queue, short }" },
        {
          file: pub,
          find: "sendToQueue(queue,",
          replace: "sendToQueue(Number(ttl) < 600_000 ? short : queue,",
        },
      ],
      says: /100 ms\. Three seconds later it had not expired/,
    },
    {
      why: "one queue can't have another TTL each time it is declared",
      on: "given",
      edits: queueForEachTtl("queue"),
      says: /queue "offers" exists with another x-/,
    },
  ],
});
