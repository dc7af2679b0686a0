import closeWithGrace from "close-with-grace";
import { fastify, LogController } from "fastify";
import { openPublisher } from "shared/amqp";
import { config, GOODBYE, log } from "./config.ts";
import { declareOrders } from "./orders.ts";
import { routes } from "./routes.ts";

const publisher = openPublisher({
  url: config.AMQP_URL,
  name: "http-service service",
  declare: declareOrders,
  log,
  // The service starts while the broker is away, and waits for it.
  patience: Number.POSITIVE_INFINITY,
});
// The routes log a line for each order. Fastify would add two for each request.
const logController = new LogController({ disableRequestLogging: true });
const app = fastify({ loggerInstance: log, logController });
let closing = false;
// A connection that is kept alive after the last answer would hold the server open.
app.addHook("onSend", async (_request, reply) => {
  if (closing) reply.header("Connection", "close");
});
await app.register(routes, { publisher });

closeWithGrace({ delay: config.CLOSE_DEADLINE, logger: log }, async ({ err }) => {
  closing = true;
  if (err) log.fatal(err);
  // Fastify accepts no more requests and answers those in hand. Each has its confirm by then, or its 503.
  await app.close();
  await publisher.close({ deadline: GOODBYE / 2 });
});

await app.listen({ host: config.HOST, port: config.PORT });
// It rejects when waiting doesn't help, such as for a wrong password. Then the process ends with exit code 1.
await publisher.ready.catch((error) => {
  if (!closing) throw error;
});
