import { options, say, sayProgress, told } from "../../src/work.ts";

say("ready");
await told();
sayProgress(() => 1);
await new Promise((resolve) => setTimeout(resolve, 300));
say("done", { options, pid: process.pid, amqpUrl: process.env.AMQP_URL });
process.exit();
