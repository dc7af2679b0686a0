import { once } from "node:events";
import { parseArgs } from "node:util";
import { cluster } from "./cluster-cli.ts";
import { startBroker } from "./find.ts";
import { isFree } from "./ports.ts";
import { progress } from "./progress.ts";
import { createSender, readTls } from "./tls-cli.ts";

const usage = `Usage: pnpm broker [--docker | --native] [--port N] [--management-port N] [--help]
       pnpm broker --tls FOLDER [--certificate NAME] [--sender NAME] ...`;

const help = `${usage}

Runs a RabbitMQ in the foreground until Ctrl-C, on 127.0.0.1 only. Nothing is kept when it ends.

It takes the first that works of:
  1. Docker, with the image rabbitmq:4-management
  2. the RabbitMQ installed on this machine, as a private node beside its service
  3. on Debian and Ubuntu, the package rabbitmq-server, installed now; it asks first, unless
     you are root or CI=true

  --docker   only Docker
  --native   only this machine's RabbitMQ, installed now if need be
  --port, --management-port
             the ports of AMQP and of the management page, if not 5672 and 15672

  --tls      it speaks TLS as well, at localhost:5671 or at the port that AMQPS_URL names, with
             FOLDER/ca.pem, the authority that it trusts, and with FOLDER/server.pem and
             FOLDER/server-key.pem. Its other ports are free ones unless they are named.
  --certificate
             NAME.pem and NAME-key.pem instead of server.pem and server-key.pem
  --sender   a user who logs in with a certificate for NAME, and may send but not receive

pnpm broker cluster runs three nodes in one cluster; see pnpm broker cluster --help.

Environment
  BROKER=docker|native      as --docker and --native, for the tests and the tour, too
  RABBITMQ_IMAGE            another image, with the management plugin: rabbitmq:3.13-management
  DOCKER_HOST               another Docker engine on this machine

The tests and the tour start brokers of their own on free ports in the same way. They use yours
instead where these are set:
  AMQP_URL                  amqp://user:password@host:5672/
  RABBITMQ_MANAGEMENT_URL   http://user:password@host:15672`;

const [command, ...args] = process.argv.slice(2);
if (command === "cluster") process.exitCode = await cluster(args);
else process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = parse(args);
  if (options === undefined) {
    console.error(usage);
    return 2;
  }
  if (options.help) {
    console.log(help);
    return 0;
  }
  const { kind, port, managementPort, tls, sender } = options;
  for (const taken of [port, managementPort, tls?.port]) {
    if (taken === undefined || (await isFree(taken))) continue;
    console.error(
      `Port ${taken} is in use. If a RabbitMQ is there, use it as it is; else see --port in --help.`,
    );
    return 1;
  }

  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stopping.abort());
  const { say, end } = progress();
  try {
    const broker = await startBroker({
      kind,
      private: true,
      port,
      managementPort,
      tls,
      say,
      signal: stopping.signal,
    });
    if (sender !== undefined) await createSender(broker.management, sender);
    const [amqp, page] = [broker.amqpUrl, broker.managementUrl].map((url) => new URL(url).port);
    console.log(`AMQP             amqp://localhost${amqp === "5672" ? "" : `:${amqp}`}
Management page  http://localhost:${page} (user guest, password guest)`);
    if (tls) console.log(` [*] RabbitMQ speaks TLS at ${broker.amqpsUrl}. To exit press CTRL+C`);
    else console.log("Press Ctrl-C to stop.");
    if (!stopping.signal.aborted) await once(stopping.signal, "abort");
    await broker.stop();
    return 0;
  } catch (error) {
    end();
    if (stopping.signal.aborted) return 0;
    console.error((error as Error).message);
    return 1;
  }
}

function parse(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        docker: { type: "boolean" },
        native: { type: "boolean" },
        port: { type: "string" },
        "management-port": { type: "string" },
        tls: { type: "string" },
        certificate: { type: "string" },
        sender: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.docker && values.native) throw new Error("--docker or --native, not both");
    const kind = values.docker ? ("docker" as const) : values.native ? ("native" as const) : undefined;
    const { help, sender, certificate } = values;
    if (values.tls === undefined && (sender ?? certificate) !== undefined)
      throw new Error("--certificate and --sender need --tls");
    const tls = values.tls === undefined ? undefined : readTls(values.tls, certificate ?? "server");
    // A broker with TLS stands beside any other.
    const port = toPort(values.port ?? (tls ? undefined : "5672"));
    const managementPort = toPort(values["management-port"] ?? (tls ? undefined : "15672"));
    if (port !== undefined && port === managementPort)
      throw new Error(`AMQP and the management page can't both have port ${port}`);
    return { help, kind, port, managementPort, tls, sender };
  } catch (error) {
    console.error((error as Error).message);
    return undefined;
  }
}

function toPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) throw new Error(`"${text}" is not a port`);
  return port;
}
