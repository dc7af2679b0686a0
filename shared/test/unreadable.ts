import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial } from "node:net";
import amqp, { type Options } from "amqplib";

/** Headers that amqplib 2.3.1 can't read, and RabbitMQ can: as amqplib writes them, and what to make of that. */
const unreadable = {
  /** Unsigned 64 bits, as py-amqp writes large integers. */
  "a type that amqplib doesn't know": {
    headers: { weird: { "!": "int64", value: 1 } },
    written: "weirdl",
    wanted: "weirdL",
  },
  /** A table in a table, 9,000 times: as deep as amqplib can write: amqplib runs out of stack. */
  "tables nested 9,000 deep": { headers: { deep: nested(9_000) }, written: "deepx", wanted: "deepF" },
};

export const kinds = Object.keys(unreadable) as (keyof typeof unreadable)[];

/** Publishes a message whose headers amqplib can't read. */
export async function publishUnreadable(
  amqpUrl: string,
  queue: string,
  kind: keyof typeof unreadable,
  options: Options.Publish = {},
): Promise<void> {
  const { headers, written, wanted } = unreadable[kind];
  const { hostname, port } = new URL(amqpUrl);
  // It changes one letter on its way to the broker.
  const server = createServer((near) => {
    const far = dial(Number(port), hostname);
    far.on("error", () => near.destroy()).pipe(near);
    near.on("error", () => far.destroy());
    near.on("data", (bytes) => {
      const at = bytes.indexOf(written);
      if (at >= 0) bytes.write(wanted, at);
      far.write(bytes);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = Object.assign(new URL(amqpUrl), { port: (server.address() as AddressInfo).port }).href;
  const connection = await amqp.connect(url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  channel.sendToQueue(queue, Buffer.from("unreadable"), { ...options, headers });
  await channel.waitForConfirms();
  await connection.close();
  server.close();
}

/** The bytes of a field table: AMQP 0-9-1, section 4.2.5.5. */
function nested(depth: number): Buffer {
  let table = Buffer.alloc(0);
  for (let level = 0; level < depth; level++) {
    const head = Buffer.from([1, "a".charCodeAt(0), "F".charCodeAt(0), 0, 0, 0, 0]);
    head.writeUInt32BE(table.length, 3);
    table = Buffer.concat([head, table]);
  }
  return table;
}
