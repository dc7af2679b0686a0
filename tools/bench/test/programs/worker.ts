import { options, role, say, sayProgress, told } from "../../src/workers/events.ts";

// As an open connection does, this keeps it from ending by itself.
setInterval(() => {}, 1000);
say("ready");
if (options.sayId) say("progress", { count: process.pid });
await told();
sayProgress(() => 1);
await new Promise((resolve) => setTimeout(resolve, 300));
say("done", { role, options, amqpUrl: process.env.AMQP_URL });
process.exit();
