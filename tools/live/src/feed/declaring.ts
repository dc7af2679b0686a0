import type { Channel } from "./channel.ts";
import type { Context } from "./context.ts";
import { copyOf } from "./ledger.ts";
import type { PassingOf } from "./passing.ts";
import { REPLY } from "./publishing.ts";
import { exchangeOf, queueOf } from "./topology.ts";
import { tableOf } from "./values.ts";

type Declaration = PassingOf<
  | "queue.declare"
  | "queue.bind"
  | "queue.unbind"
  | "queue.delete"
  | "queue.purge"
  | "exchange.declare"
  | "exchange.bind"
  | "exchange.unbind"
  | "exchange.delete"
>;

/** What is declared, bound and deleted: it holds as soon as the broker says so. */
export class Declarations {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** What a client asks for. The answers come in the same order. */
  asked(channel: Channel, passing: Declaration): void {
    const then = this.#effectOf(channel, passing);
    if ("noWait" in passing.fields && passing.fields.noWait) then("");
    else channel.declaring.push(then);
  }

  /** @param queue The name that the broker has given, in `queue.declare-ok`. */
  answered(channel: Channel, queue = ""): void {
    channel.declaring.shift()?.(queue);
  }

  #effectOf(channel: Channel, { method, fields }: Declaration): (answered: string) => void {
    const { plan, ledger, say, lookAgain } = this.#context;
    switch (method) {
      case "queue.declare":
        return (answered) => {
          const name = answered || fields.queue;
          channel.lastQueue = name;
          const { durable, exclusive, autoDelete } = fields;
          const queue = queueOf({
            name,
            durable,
            exclusive,
            autoDelete,
            arguments: tableOf(fields.arguments),
          });
          if (!fields.passive && name !== REPLY) plan.addQueue(queue);
          lookAgain();
        };
      case "exchange.declare":
        return () => {
          const { exchange: name, type, durable, internal } = fields;
          if (!fields.passive)
            plan.addExchange(exchangeOf({ name, type, durable, internal }, tableOf(fields.arguments)));
          lookAgain();
        };
      case "queue.bind":
        return () => {
          const { exchange, routingKey: key } = fields;
          const to = fields.queue || channel.lastQueue;
          plan.addBinding({ exchange, to, kind: "queue", key, arguments: tableOf(fields.arguments) });
          lookAgain();
        };
      case "exchange.bind":
        return () => {
          const { source: exchange, destination: to, routingKey: key } = fields;
          plan.addBinding({ exchange, to, kind: "exchange", key, arguments: tableOf(fields.arguments) });
          lookAgain();
        };
      case "queue.delete":
        return () => {
          const name = fields.queue || channel.lastQueue;
          ledger.drop(name);
          plan.removeQueue(name);
          lookAgain();
        };
      case "queue.purge":
        return () => {
          const name = fields.queue || channel.lastQueue;
          for (const entry of ledger.waiting(name)) {
            ledger.remove(entry);
            say({ type: "purged", ...copyOf(entry) });
          }
          ledger.forgetUnlisted(name);
        };
      default:
        return () => lookAgain();
    }
  }
}
