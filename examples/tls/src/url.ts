import { existsSync } from "node:fs";
import { BrokerError, giveUp, text, usage } from "shared";
import { pathOf } from "./certificates.ts";

/**
 * Reads the command line of a program that speaks TLS. Options that don't fit are refused with the usage.
 *
 * @param synopsis The program, and its arguments besides `--as`, `--trust` and `--host`: see `usage`.
 * @param example The same as someone would type it.
 * @returns The words; `as`, the user whose certificate to show instead of a password; and the broker's URL. All that TLS
 *   needs is in it, in the parameters that RabbitMQ's own clients take
 *   (https://www.rabbitmq.com/docs/uri-query-parameters).
 */
export function tlsUsage(synopsis: string, example: string) {
  const more = "[--as <user>] [--trust <authority>] [--host <name>]";
  const { words, options, refuse } = usage(`${synopsis} ${more}`, example, {
    as: { type: "string" },
    trust: { type: "string", default: "ca" },
    host: { type: "string" },
  });
  const { as, trust, host } = options;
  for (const name of as === undefined ? [trust] : [trust, as, `${as}-key`])
    if (!existsSync(pathOf(name)))
      refuse(`There is no ${text(name)}.pem. The script make-certificates makes some.`);
  // A look-up takes names of at most 253 bytes, with at most 63 between two dots (RFC 1035, 2.3.4).
  if (host !== undefined && !/^(?=.{1,253}$)([a-z\d_-]{1,63}(\.|$))+$/i.test(host))
    refuse("--host takes a name or an address, as localhost or 127.0.0.1.");

  const broker = process.env.AMQPS_URL ?? "amqps://localhost";
  // It isn't repeated: it may hold a password.
  if (!URL.canParse(broker) || !broker.startsWith("amqps:"))
    giveUp(new BrokerError("AMQPS_URL is not what was expected: amqps://user:password@host:5671/vhost."));
  const url = new URL(broker);
  if (host !== undefined) url.hostname = host;
  url.searchParams.set("cacertfile", pathOf(trust));
  if (as !== undefined) {
    url.searchParams.set("certfile", pathOf(as));
    url.searchParams.set("keyfile", pathOf(`${as}-key`));
    url.searchParams.set("auth_mechanism", "external");
  }
  return { words, as, url: url.href };
}
