import { exercise } from "exercise";

const topology = "src/topology.ts";

const solved = `const threeNodes = "amqp://localhost:5672,amqp://localhost:5673,amqp://localhost:5674";

/** The nodes of \`pnpm broker cluster\`, unless AMQP_URL names others. (\`undefined\` leaves it to AMQP_URL.) */
export const url = process.env.CLUSTER_URL ?? (process.env.AMQP_URL ? undefined : threeNodes);`;

const urls = `const threeNodes = "amqp://localhost:5672,amqp://localhost:5673,amqp://localhost:5674";

const nodes = (process.env.CLUSTER_URL ?? process.env.AMQP_URL ?? threeNodes).split(",");`;

const first = `/** Where to connect. */
export const url = nodes[0];`;

export default exercise({
  from: "quorum-failover",
  files: [topology],
  given: [{ file: topology, find: solved, replace: `${urls}\n\n${first}` }],

  async check({ runWith, amqpUrl, wireTo, until }) {
    // To a program, two addresses of one broker are two nodes of a cluster.
    const nodes = [await wireTo(amqpUrl), await wireTo(amqpUrl)];
    const both = nodes.map((node) => node.amqpUrl).join(",");
    /** Those to which pub has published. The first one goes away with its first message. */
    const reached = new Set<(typeof nodes)[number]>();
    for (const node of nodes)
      node.on("said", ({ method }) => {
        if (method === "basic.publish" && reached.add(node).size === 1) void node.unplug();
      });

    const pub = runWith({ amqpUrl: both }, "pub", "--count", "60", "--rate", "60");
    const reaches = (count: number) => () => reached.size >= count || pub.ended !== undefined;
    await until(reaches(1), "pub published nothing to either of the nodes that AMQP_URL names.", {
      within: 8_000,
    });
    await until(
      reaches(2),
      "The node to which pub was connected has gone. AMQP_URL names another one, and pub did not go on there.",
      { within: 5_000 },
    );
    await pub.prints(/All 60 messages confirmed/, "pub did not get all of its messages confirmed.", {
      within: 5_000,
    });
    const sub = runWith({ amqpUrl: both }, "sub");
    await sub.prints(
      " [x] All 60 messages",
      "One of the two nodes is still away. A program that starts now should go to the other one, and did not.",
      { within: 8_000 },
    );
  },

  says: /AMQP_URL names another one, and pub did not go on there/,
  wrong: [
    {
      why: "a node that was chosen by chance goes away as well",
      on: "given",
      edits: [
        {
          file: topology,
          find: "nodes[0]",
          replace: "nodes[Math.floor(Math.random() * nodes.length)]",
        },
      ],
      says: /AMQP_URL names another one, and pub did not go on there/,
    },
    {
      why: "what was reachable when the program started may be gone later",
      on: "given",
      edits: [
        {
          file: topology,
          find: `import type { Channel } from "amqplib";`,
          replace: `import amqp, { type Channel } from "amqplib";`,
        },
        {
          file: topology,
          find: first,
          replace: `const answers = async (node = "") => {
  try {
    await (await amqp.connect(node)).close();
    return true;
  } catch {
    return false;
  }
};

/** Where to connect: the first node if it answers, or else the second. */
export const url = (await answers(nodes[0])) ? nodes[0] : nodes[1];`,
        },
      ],
      says: /AMQP_URL names another one, and pub did not go on there/,
    },
    {
      why: "between the nodes there are commas",
      on: "given",
      edits: [{ file: topology, find: "nodes[0]", replace: `nodes.join(" ")` }],
      says: /pub ended with: .*holds several URLs/,
    },
  ],
});
