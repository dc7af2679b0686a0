import { once } from "node:events";
import { connect } from "node:net";

/** AMQP 0-9-1's numbers of classes and methods (section 1.8). */
const [START_OK, TUNE, TUNE_OK, OPEN, OPEN_OK] = ["10.11", "10.30", "10.31", "10.40", "10.41"];
const [CHANNEL_OPEN, CHANNEL_OPEN_OK, SELECT, SELECT_OK] = ["20.10", "20.11", "85.10", "85.11"];
const [PUBLISH, ACK, GET, GET_OK, GET_EMPTY] = ["60.40", "60.80", "60.70", "60.71", "60.72"];
/** Kinds of frames (section 4.2.3). */
const [METHOD, HEADER, BODY] = [1, 2, 3];

/** A client that passes on a message's properties as the bytes that they are. */
export interface PlainClient {
  /** Publishes a message to a queue and waits for the confirm. */
  publish(queue: string, properties: Buffer, body: string): Promise<void>;
  /** Takes the next message out of a queue. `undefined` if there is none. */
  get(queue: string): Promise<{ properties: Buffer; body: string } | undefined>;
  close(): void;
}

/**
 * Opens a client that neither reads nor writes a message's properties. amqplib can't tell whether a message is still the
 * same: to it a byte 5, an int32 5 and a double 5.0 are all the number 5.
 *
 * @param amqpUrl The broker's URL. Without a user in it, the login is `guest`.
 */
export async function openPlainClient(amqpUrl: string): Promise<PlainClient> {
  const { hostname, port, username, password, pathname } = new URL(amqpUrl);
  const socket = connect(Number(port || 5672), hostname);
  let unread: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    unread = Buffer.concat([unread, chunk]);
  });

  async function frame(kind: number) {
    for (;;) {
      const size = unread.length < 7 ? Number.POSITIVE_INFINITY : unread.readUInt32BE(3);
      if (unread.length < size + 8) await once(socket, "data");
      else {
        const [found, payload] = [unread[0], unread.subarray(7, 7 + size)];
        unread = unread.subarray(size + 8);
        if (found === kind) return payload;
      }
    }
  }
  async function method(...expected: (string | undefined)[]) {
    const payload = await frame(METHOD);
    const name = `${payload.readUInt16BE(0)}.${payload.readUInt16BE(2)}`;
    if (!expected.includes(name)) throw new Error(`The broker sent ${name}: ${payload.toString("latin1")}`);
    return { name, payload };
  }
  const send = (kind: number, channel: number, ...parts: Buffer[]) => {
    const payload = Buffer.concat(parts);
    socket.write(Buffer.concat([byte(kind), short(channel), long(payload.length), payload, byte(0xce)]));
  };
  const call = (name: string | undefined, channel: number, ...parts: Buffer[]) =>
    send(METHOD, channel, ...(name ?? "").split(".").map((number) => short(Number(number))), ...parts);

  socket.write("AMQP\0\0\x09\x01");
  await method("10.10");
  const login = `\0${decodeURIComponent(username) || "guest"}\0${username ? decodeURIComponent(password) : "guest"}`;
  call(START_OK, 0, long(0), name("PLAIN"), longString(login), name("en_US"));
  const { payload: tune } = await method(TUNE);
  call(TUNE_OK, 0, tune.subarray(4, 10), short(0));
  call(OPEN, 0, name(decodeURIComponent(pathname.slice(1)) || "/"), name(""), byte(0));
  await method(OPEN_OK);
  call(CHANNEL_OPEN, 1, name(""));
  await method(CHANNEL_OPEN_OK);
  call(SELECT, 1, byte(0));
  await method(SELECT_OK);

  return {
    async publish(queue, properties, body) {
      call(PUBLISH, 1, short(0), name(""), name(queue), byte(0));
      send(HEADER, 1, short(60), short(0), long(0), long(Buffer.byteLength(body)), properties);
      send(BODY, 1, Buffer.from(body));
      await method(ACK);
    },
    async get(queue) {
      call(GET, 1, short(0), name(queue), byte(1));
      if ((await method(GET_OK, GET_EMPTY)).name === GET_EMPTY) return undefined;
      const properties = Buffer.from((await frame(HEADER)).subarray(12));
      return { properties, body: `${await frame(BODY)}` };
    },
    close: () => void socket.destroy(),
  };
}

const byte = (value: number) => Buffer.of(value);
const short = (value: number) => Buffer.of(value >> 8, value & 0xff);
const long = (value: number) => Buffer.concat([short(value >>> 16), short(value & 0xffff)]);
/** A short string. */
const name = (value: string | Buffer) => Buffer.concat([byte(value.length), Buffer.from(value as string)]);
const longString = (value: string | Buffer) =>
  Buffer.concat([long(value.length), Buffer.from(value as string)]);

/** Properties in the order of their flags, from the highest bit down, with how they are written (section 4.2.6.1). */
const layout = [
  ["contentType", "name"],
  ["contentEncoding", "name"],
  ["headers", "table"],
  ["deliveryMode", 1],
  ["priority", 1],
  ["correlationId", "name"],
  ["replyTo", "name"],
  ["expiration", "name"],
  ["messageId", "name"],
  ["timestamp", 8],
  ["type", "name"],
  ["userId", "name"],
  ["appId", "name"],
  ["clusterId", "name"],
] as const;

/** Sizes of a header's value by its type's letter, in bytes. The others say their own. */
const sizes: Record<string, number> = {
  t: 1,
  b: 1,
  B: 1,
  s: 2,
  u: 2,
  I: 4,
  i: 4,
  f: 4,
  D: 5,
  l: 8,
  L: 8,
  d: 8,
  T: 8,
  V: 0,
};

/**
 * Takes a message's properties apart, without reading their values.
 *
 * @returns The bytes of each property in hex, and of each header with its type, except those that RabbitMQ writes about
 *   a message's deliveries and deaths.
 */
export function partsOf(properties: Buffer): Record<string, string> {
  const parts: Record<string, string> = {};
  const flags = properties.readUInt16BE(0);
  let offset = 2;
  const take = (size: number) => {
    offset += size;
    return properties.subarray(offset - size, offset);
  };
  const takeString = () => take((properties[offset] as number) + 1);
  for (const [index, [property, size]] of layout.entries()) {
    if ((flags & (1 << (15 - index))) === 0) continue;
    if (size === "table") {
      const end = offset + 4 + take(4).readUInt32BE();
      while (offset < end) {
        const header = `headers.${takeString().toString("latin1", 1)}`;
        const type = take(1);
        const value = take(sizes[`${type}`] ?? 4 + properties.readUInt32BE(offset));
        if (!written.test(header)) parts[header] = `${type} ${value.toString("hex")}`;
      }
    } else parts[property] = (size === "name" ? takeString() : take(size)).toString("hex");
  }
  return parts;
}

const written = /^headers\.x-(death$|(first|last)-death-|(delivery|acquired)-count$)/;

/**
 * Properties as clients in other languages write them: a header of every type that RabbitMQ and amqplib both read, a
 * nested table and an array, a string and an id that aren't UTF-8.
 */
export function everyType(): Buffer {
  const noText = Buffer.of(0xff, 0xfe, 0x80);
  const header = (letter: string, value: Buffer) =>
    Buffer.concat([name(`of type ${letter}`), Buffer.from(letter), value]);
  const values: [letter: string, value: Buffer][] = [
    ["t", byte(1)],
    ["b", byte(5)],
    ["B", byte(250)],
    ["s", short(5)],
    ["u", short(5)],
    ["I", long(5)],
    ["i", long(0xfffffff0)],
    ["l", Buffer.from("7ffffffffffffff1", "hex")],
    ["f", Buffer.from("40a00000", "hex")],
    // 5.0
    ["d", Buffer.from("4014000000000000", "hex")],
    ["T", Buffer.concat([long(0), long(1)])],
    ["D", Buffer.concat([byte(2), long(314)])],
    ["S", longString(noText)],
    ["x", longString(noText)],
    ["V", Buffer.alloc(0)],
  ];
  const table = Buffer.concat(values.map(([letter, value]) => header(letter, value)));
  const array = Buffer.concat(values.flatMap(([letter, value]) => [Buffer.from(letter), value]));
  const headers = Buffer.concat([
    table,
    header("F", Buffer.concat([long(table.length), table])),
    header("A", Buffer.concat([long(array.length), array])),
  ]);
  return Buffer.concat([
    // All but expiration, which RabbitMQ takes away from a dead message, and the user's id, which it checks.
    short(0b1111_1110_1110_1100),
    name("text/plain"),
    name("identity"),
    Buffer.concat([long(headers.length), headers]),
    byte(2),
    byte(3),
    name(noText),
    name("replies"),
    name("m-1"),
    Buffer.concat([long(0), long(1_767_225_600)]),
    name("order"),
    name("shop"),
    name(""),
  ]);
}
