import { freePorts } from "broker";
import { exercise, Miss } from "exercise";

const routes = "src/routes.ts";

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.
const publishes = `    const deadline = AbortSignal.timeout(config.CONFIRM_DEADLINE);
    try {
      const content = Buffer.from(JSON.stringify(order.data));
      const options = { messageId: id.data, contentType: "application/json", mandatory: true };
      await publisher.publish("", queue, content, options, deadline);
    } catch (error) {
      // The order may have arrived all the same, and only its confirm has not.
      if (deadline.aborted) return unavailable(\`not confirmed in time (\${publisher.status})\`);
      if (error instanceof BrokerError && error.retriable) return unavailable(error.message);
      throw error;
    }`;

const refuses = `      if (deadline.aborted) return unavailable(\`not confirmed in time (\${publisher.status})\`);
      if (error instanceof BrokerError && error.retriable) return unavailable(error.message);
      throw error;`;

const doesNotWait = `    if (publisher.status !== "open") return unavailable("no broker");
    const content = Buffer.from(JSON.stringify(order.data));
    const options = { messageId: id.data, contentType: "application/json", mandatory: true };
    // What is unconfirmed when the connection is lost, the publisher publishes again.
    publisher.publish("", queue, content, options).catch((error) => request.log.error(error));`;
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: They are pieces of the learner's source.

const LAMP = JSON.stringify({ item: "lamp", quantity: 1 });

export default exercise({
  from: "http-service",
  files: [routes],
  given: [{ file: routes, find: publishes, replace: doesNotWait }],

  async check({ runWith, channel, amqpUrl, wireTo, until }) {
    const wire = await wireTo(amqpUrl);
    const [port] = await freePorts(1);
    const env = { PORT: String(port), CONFIRM_DEADLINE: "1000" };
    const service = runWith({ amqpUrl: wire.amqpUrl, env }, "service");
    await service.ready();
    const at = `http://127.0.0.1:${port}`;
    const isReady = async () => (await fetch(`${at}/health/ready`)).ok;
    await until(isReady, "The service did not connect to RabbitMQ.");
    const order = (id: string) =>
      fetch(`${at}/orders`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": id },
        body: LAMP,
        signal: AbortSignal.timeout(5_000),
      }).then(
        ({ status }) => status,
        () => undefined,
      );
    const confirmed = async (id: string) => {
      const status = await order(id);
      if (status !== 202)
        throw new Miss(
          `With RabbitMQ there, the service answered an order with ${status ?? "nothing"}, not 202.`,
        );
    };

    await confirmed("order-1");

    // What the broker says takes a moment.
    wire.holdWhen(({ method }) => method === "basic.ack");
    let answer: number | undefined;
    const answered = order("order-2").then((status) => {
      answer = status;
    });
    await until(() => wire.held.length > 0 || answer !== undefined, "The service did not publish an order.");
    // The answer to a later request comes after one that didn't wait.
    await fetch(`${at}/health/live`);
    if (answer !== undefined)
      throw new Miss(
        `The service answered an order with ${answer} before RabbitMQ had confirmed it. If one of them crashes at that ` +
          "moment, the order is lost, and the customer doesn't know.",
      );
    wire.release();
    await answered;

    await wire.unplug();
    const status = await order("order-3");
    if (status !== 503)
      throw new Miss(
        status === undefined
          ? "RabbitMQ was away, and the service did not answer an order at all. Five seconds later the customer gave up."
          : `RabbitMQ was away, and the service answered an order with ${status}, not 503.`,
      );
    await wire.plugIn();
    await until(isReady, "The service did not connect to RabbitMQ again.", { within: 6_000 });
    await confirmed("order-4");
    const { messageCount } = await channel.checkQueue("http_orders");
    if (messageCount !== 3)
      throw new Miss(
        "The service answered an order with 503 and published it later, when RabbitMQ was back. The customer has ordered " +
          "somewhere else by then.",
      );
  },

  says: /answered an order with 202 before RabbitMQ had confirmed it/,
  wrong: [
    {
      why: "without a deadline it waits for as long as the broker is away",
      on: "given",
      edits: [
        {
          file: routes,
          find: `if (publisher.status !== "open") return unavailable("no broker");\n`,
          replace: "",
        },
        {
          file: routes,
          find: `    publisher.publish("", queue`,
          replace: `    await publisher.publish("", queue`,
        },
      ],
      says: /did not answer an order at all/,
    },
    {
      why: "what could not be published was not accepted",
      on: "solution",
      edits: [{ file: routes, find: refuses, replace: "      request.log.error(error);" }],
      says: /RabbitMQ was away, and the service answered an order with 202/,
    },
    {
      why: "a deadline that the publisher doesn't know of ends the waiting, and not the publishing",
      on: "solution",
      edits: [
        {
          file: routes,
          find: `await publisher.publish("", queue, content, options, deadline);`,
          replace: `const late = new Promise((_, reject) => deadline.addEventListener("abort", reject));
      await Promise.race([publisher.publish("", queue, content, options), late]);`,
        },
      ],
      says: /answered an order with 503 and published it later/,
    },
  ],
});
