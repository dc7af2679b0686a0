import type { Channel } from "amqplib";
import { failure, startScript } from "./programs.ts";
import type { Room } from "./room.ts";

/** Something that our programs refuse by design, and what they say. */
export interface RefusedDeclaration {
  situation: string;
  /** What they said. */
  sentence: string;
  failure: string | undefined;
}

interface Case {
  situation: string;
  /** Puts the broker into that situation. */
  prepare(channel: Channel): Promise<unknown>;
  example: string;
  script: string[];
  sentence: RegExp;
}

const classic = { durable: true, arguments: { "x-queue-type": "classic" } };

/** Each needs a virtual host in which nothing else has been declared. They run one after the other in the same one. */
const cases: Case[] = [
  {
    situation: "An old port has declared hello as a classic queue",
    prepare: (channel) => channel.assertQueue("hello", classic),
    example: "hello",
    script: ["receive"],
    sentence: /"hello" exists with another x-queue-type/,
  },
  {
    situation: "The same, and we send",
    prepare: async () => {},
    example: "hello",
    script: ["send"],
    sentence: /"hello" exists with another x-queue-type/,
  },
  {
    situation: "An old port has declared task_queue as a classic queue",
    prepare: (channel) => channel.assertQueue("task_queue", classic),
    example: "work-queues",
    script: ["worker"],
    sentence: /"task_queue" exists with another x-queue-type/,
  },
  {
    situation: "An old port has declared rpc_queue as a classic queue, and we serve",
    prepare: (channel) => channel.assertQueue("rpc_queue", classic),
    example: "rpc",
    script: ["server"],
    sentence: /"rpc_queue" exists with another x-queue-type/,
  },
  {
    situation: "A program over AMQP 1.0 has declared the exchange logs as a durable one",
    prepare: (channel) => channel.assertExchange("logs", "fanout", { durable: true }),
    example: "pubsub-fanout",
    script: ["sub"],
    sentence: /"logs" exists with another durable/,
  },
  {
    situation: "Our client calls, and no server has declared rpc_queue",
    prepare: (channel) => channel.deleteQueue("rpc_queue"),
    example: "rpc",
    script: ["client", "30"],
    sentence: /rpc_queue/,
  },
];

/**
 * Meets each case, and looks at what our program says and whether it ends with exit code 1.
 *
 * @param room An empty one.
 */
export async function checkRefusals(room: Room): Promise<RefusedDeclaration[]> {
  const refusals: RefusedDeclaration[] = [];
  for (const { situation, prepare, example, script, sentence } of cases) {
    await prepare(room.channel);
    const program = startScript(example, script, room.url);
    await failure(program, 30_000);
    const said = program.errors.join(" ").trim();
    const code = program.ended?.code;
    const reason =
      code !== 1 ? `exit code ${code} in place of 1` : sentence.test(said) ? undefined : "not in these words";
    refusals.push({ situation, sentence: said, failure: reason });
  }
  return refusals;
}
