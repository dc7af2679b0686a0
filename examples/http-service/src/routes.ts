import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { BrokerError, type Publisher } from "shared/amqp";
import { config } from "./config.ts";
import { Order, OrderId, queue } from "./orders.ts";

/** How many orders may wait for their confirms. More are turned away at once, so that memory stays bounded. */
const MOST_UNCONFIRMED = 1_000;
/** s */
const RETRY_AFTER = 2;

/** The service's routes, as a Fastify plugin. */
export async function routes(app: FastifyInstance, { publisher }: { publisher: Publisher }): Promise<void> {
  app.post("/orders", async (request, reply) => {
    const order = Order.safeParse(request.body);
    if (!order.success) return reply.code(400).send({ error: "Not an order", issues: order.error.issues });
    // A client that tries again sends the same key. The worker then knows that it is the same order.
    const id = OrderId.safeParse(request.headers["idempotency-key"] ?? randomUUID());
    if (!id.success) return reply.code(400).send({ error: "Wrong Idempotency-Key", issues: id.error.issues });

    const unavailable = (why: string) => {
      request.log.warn({ id: id.data }, `Order not accepted: ${why}`);
      reply.code(503).header("Retry-After", RETRY_AFTER);
      return reply.send({ error: "Try again later", id: id.data });
    };
    if (publisher.unconfirmed >= MOST_UNCONFIRMED) return unavailable("too many wait for their confirms");
    const deadline = AbortSignal.timeout(config.CONFIRM_DEADLINE);
    try {
      const content = Buffer.from(JSON.stringify(order.data));
      const options = { messageId: id.data, contentType: "application/json", mandatory: true };
      await publisher.publish("", queue, content, options, deadline);
    } catch (error) {
      // The order may have arrived all the same, and only its confirm has not.
      if (deadline.aborted) return unavailable(`not confirmed in time (${publisher.status})`);
      if (error instanceof BrokerError && error.retriable) return unavailable(error.message);
      throw error;
    }
    request.log.info({ id: id.data }, "Order accepted");
    return reply.code(202).send({ id: id.data });
  });

  // Whether the process works. It doesn't depend on the broker: a restart of this process would not bring that back.
  app.get("/health/live", async () => ({ status: "ok" }));

  // Whether to send requests here.
  app.get("/health/ready", async (_request, reply) => {
    const { status } = publisher;
    return reply.code(status === "open" ? 200 : 503).send({ broker: status });
  });
}
