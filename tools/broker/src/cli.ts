import { once } from "node:events";
import { flag, port, progress, readCommandLine, string, UsageError } from "cli";
import { cluster } from "./cluster-cli.ts";
import { startBroker } from "./find.ts";
import { readKind } from "./kind.ts";
import { isFree } from "./ports.ts";
import { createSender, readTlsFolder } from "./tls-cli.ts";

const [command, ...args] = process.argv.slice(2);
if (command === "cluster") process.exitCode = await cluster(args);
else process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = parse(args);
  if (typeof options === "number") return options;
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
    if (stopping.signal.aborted) return 0;
    console.error((error as Error).message);
    return 1;
  } finally {
    end();
  }
}

function parse(args: string[]) {
  return readCommandLine(
    args,
    {
      name: "pnpm broker",
      about: `Runs a RabbitMQ in the foreground until Ctrl-C, on 127.0.0.1 only. Nothing is kept when it ends.

It takes the first that works of:
  1. Docker, with the image rabbitmq:4-management
  2. the RabbitMQ installed on this machine, as a private node beside its service
  3. on Debian and Ubuntu, the package rabbitmq-server, installed now; it asks first, unless
     you are root or CI=true`,
      options: {
        docker: flag("Only Docker"),
        native: flag("Only this machine's RabbitMQ, installed now if need be"),
        port: port("AMQP's port, by default 5672"),
        managementPort: port("The management page's port, by default 15672"),
        tls: string("FOLDER", "It speaks TLS as well, with the certificates in this folder"),
        certificate: string("NAME", "NAME.pem and NAME-key.pem instead of server.pem and server-key.pem"),
        sender: string(
          "NAME",
          "A user who logs in with a certificate for NAME, and may send but not receive",
        ),
      },
      more: `With --tls it speaks TLS at localhost:5671 or at the port that AMQPS_URL names, with FOLDER/ca.pem, the
authority that it trusts, and with FOLDER/server.pem and FOLDER/server-key.pem. Its other ports are free ones
unless they are named.

pnpm broker cluster runs three nodes in one cluster; see pnpm broker cluster --help.

Environment:
  BROKER=docker|native      as --docker and --native, for the tests and the tour, too
  RABBITMQ_IMAGE            another image, with the management plugin: rabbitmq:3.13-management
  DOCKER_HOST               another Docker engine on this machine

The tests and the tour start brokers of their own on free ports in the same way. They use yours
instead where these are set:
  AMQP_URL                  amqp://user:password@host:5672/
  RABBITMQ_MANAGEMENT_URL   http://user:password@host:15672`,
    },
    ({ docker, native, tls: folder, certificate, sender, ...ports }) => {
      const kind = readKind(docker, native);
      if (folder === undefined && (sender ?? certificate) !== undefined)
        throw new UsageError("--certificate and --sender need --tls");
      const tls = folder === undefined ? undefined : readTlsFolder(folder, certificate ?? "server");
      // A broker with TLS stands beside any other.
      const { port = tls ? undefined : 5672, managementPort = tls ? undefined : 15_672 } = ports;
      if (port !== undefined && port === managementPort)
        throw new UsageError(`AMQP and the management page can't both have port ${port}`);
      return { kind, port, managementPort, tls, sender };
    },
  );
}
