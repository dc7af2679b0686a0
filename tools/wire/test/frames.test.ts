import fc from "fast-check";
import { expect, test } from "vitest";
import { asksForOurs, type Frame, FrameReader, nameProtocol } from "../src/frames.ts";
import { MessageReader } from "../src/messages.ts";

const greeting = Buffer.from("AMQP\x00\x00\x09\x01", "latin1");

const frame = (type: number, channel: number, payload: Uint8Array): Buffer => {
  const bytes = Buffer.alloc(payload.length + 8);
  bytes.writeUInt8(type);
  bytes.writeUInt16BE(channel, 1);
  bytes.writeUInt32BE(payload.length, 3);
  bytes.set(payload, 7);
  bytes.writeUInt8(0xce, bytes.length - 1);
  return bytes;
};

const anyFrame = fc
  .record({
    type: fc.constantFrom(1, 2, 3, 8),
    channel: fc.integer({ min: 0, max: 0xffff }),
    payload: fc.uint8Array({ maxLength: 300 }),
  })
  .map(({ type, channel, payload }) => frame(type, channel, payload));

/** Splits bytes at any places. */
function split(bytes: Buffer, cuts: number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const read = (chunks: Buffer[], mustGreet: boolean) => {
  const reader = new FrameReader(mustGreet);
  const frames: Frame[] = chunks.flatMap((chunk) => [...reader.read(chunk)]);
  return { frames, rest: reader.rest() };
};

test("frames are found wherever they are split", () => {
  fc.assert(
    fc.property(fc.array(anyFrame), fc.array(fc.nat()), (frames, cuts) => {
      const bytes = Buffer.concat([greeting, ...frames]);
      const found = read(split(bytes, cuts), true);
      expect(found.frames.map((each) => each.bytes)).toEqual([greeting, ...frames]);
      expect(found.frames.some(({ kind }) => kind === "opaque")).toBe(false);
      expect(found.rest).toHaveLength(0);
    }),
  );
});

test("of any bytes none is lost, changed or moved, and none ends the reading", () => {
  const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(anyFrame, noise)),
      fc.array(fc.nat()),
      fc.boolean(),
      (parts, cuts, mustGreet) => {
        const bytes = Buffer.concat(parts);
        const { frames, rest } = read(split(bytes, cuts), mustGreet);
        expect(Buffer.concat([...frames.map((each) => each.bytes), rest])).toEqual(bytes);
        const messages = new MessageReader("to-broker", 1024);
        for (const each of frames) messages.read(each);
      },
    ),
  );
});

test("a frame without its end makes all that follows opaque", () => {
  const broken = frame(1, 0, Buffer.from("broken"));
  broken[broken.length - 1] = 0;
  const { frames } = read([greeting, broken, frame(8, 0, Buffer.alloc(0))], true);
  expect(frames.map(({ kind }) => kind)).toEqual(["protocol-header", "opaque", "opaque"]);
});

test.each([
  ["\x16\x03\x01\x02\x00\x01\x00\x01", "TLS"],
  ["\x10\x0c\x00\x04MQTT\x04\x02", "MQTT"],
  ["GET / HTTP/1.1\r\n", "HTTP"],
  ["AMQP\x03\x01\x00\x00", "AMQP 1-0-0"],
  ["EHLO example.com\r\n", "an unknown protocol"],
  // Looks like a heartbeat, but no client of AMQP 0-9-1 begins with one.
  ["\x08\x00\x00\x00\x00\x00\x00\xce", "an unknown protocol"],
])("%j is %s, at its first bytes", (start, protocol) => {
  const { frames } = read([Buffer.from(start, "latin1")], true);
  expect(frames).toHaveLength(1);
  expect(asksForOurs(frames[0] as Frame)).toBe(false);
  expect(nameProtocol((frames[0] as Frame).bytes)).toBe(protocol);
});

test("a body is kept up to the limit, on all channels together", () => {
  const publish = Buffer.from([0, 60, 0, 40, 0, 0, 0, 0, 0]);
  const header = (size: number) => {
    const payload = Buffer.alloc(14);
    payload.writeUInt16BE(60);
    payload.writeBigUInt64BE(BigInt(size), 4);
    return payload;
  };
  const body = Buffer.from("0123456789");
  const parts = [1, 2, 3].flatMap((channel) => [frame(1, channel, publish), frame(2, channel, header(20))]);
  const bodies = [1, 2, 3, 1, 2, 3].map((channel) => frame(3, channel, body));
  const messages = new MessageReader("to-broker", 50);
  const said = read(
    [...parts, ...bodies, ...parts.slice(0, 2), ...bodies.slice(0, 1), ...bodies.slice(0, 1)],
    false,
  )
    .frames.flatMap((each) => messages.read(each).completes)
    .map(({ channel, content }) => [channel, content?.size, content?.body.length]);
  expect(said).toEqual([
    [1, 20, 20],
    [2, 20, 20],
    [3, 20, 10],
    [1, 20, 20],
  ]);
});

test("a method that comes before the content of the last one is reported, and that one as well", () => {
  const publish = frame(1, 1, Buffer.from([0, 60, 0, 40, 0, 0, 0, 0, 0]));
  const messages = new MessageReader("to-broker", 50);
  const said = read([publish, publish, frame(3, 2, Buffer.from("of nothing"))], false)
    .frames.flatMap((each) => messages.read(each).completes)
    .map(({ method, channel, problem }) => [method, channel, problem]);
  expect(said).toEqual([
    ["basic.publish", 1, "the next method came before all of its content"],
    ["undecodable", 2, "a body frame that belongs to no method"],
  ]);
});
