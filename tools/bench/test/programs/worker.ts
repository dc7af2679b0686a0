import { options, say, sayProgress, told } from "../../src/work.ts";

// As an open connection does, this keeps it from ending by itself.
setInterval(() => {}, 1000);
say("ready");
if (options.sayId) say("progress", { count: process.pid });
await told();
sayProgress(() => 1);
await new Promise((resolve) => setTimeout(resolve, 300));
say("done", { options, amqpUrl: process.env.AMQP_URL });
process.exit();
