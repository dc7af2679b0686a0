import { manners, scenarios } from "testkit";
import { queueOf } from "../src/topology.ts";

scenarios();

manners({
  chat: {
    args: ["Jean", "Pierre"],
    wrong: [
      [],
      ["Jean"],
      ["Jean", "Jean"],
      ["Jean", "Pierre", "Marie"],
      ["Jean", ""],
      ["Jean", "amq.gen"],
      ["Jean\n", "Pierre"],
      ["Jean", "_"],
      ["x".repeat(33), "Pierre"],
    ],
    stays: true,
    conflict: (channel) => channel.assertQueue(queueOf("Pierre"), { arguments: { "x-queue-type": "quorum" } }),
  },
});
