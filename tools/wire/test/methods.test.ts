import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { AMQPView } from "@cloudamqp/amqp-client/amqp-view";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type MethodName, methodOf, methods, readFields, readProperties } from "../src/methods.ts";

const require = createRequire(import.meta.url);

test("the table of methods is the same as amqplib's, which is made from the specification", () => {
  // It is not exported, so it is read from its file.
  const definitions: Record<
    string,
    { classId: number; methodId: number; args: { name: string; type: string }[] }
  > = require(join(dirname(require.resolve("amqplib")), "lib/defs.js"));
  const theirs = Object.entries(definitions)
    .filter(([key]) => key.startsWith("methodInfo"))
    .map(([key, { classId, methodId, args }]) => ({
      name: key.slice("methodInfo".length).toLowerCase(),
      id: [classId, methodId],
      fields: args.map(({ name, type }) => `${name.toLowerCase()}: ${type}`),
    }));
  const ours = Object.entries(methods).map(([name, { id, fields }]) => ({
    name: name.replace(/[.-]/g, ""),
    id,
    fields: Object.entries(fields).map(
      ([field, type]) => `${field.toLowerCase()}: ${type === "secret" ? "longstr" : type}`,
    ),
  }));
  const byName = (one: { name: string }, other: { name: string }) => one.name.localeCompare(other.name);
  expect(ours.toSorted(byName)).toEqual(theirs.toSorted(byName));
});

const bytes = 64 * 1024;
const shortString = fc.string({ unit: "grapheme", maxLength: 20 });
const key = shortString.filter((name) => name !== "__proto__");
const field = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: "grapheme" }),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: 2 ** 40 }).filter((n) => !Number.isInteger(n)),
    fc.date({ noInvalidDate: true }).map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000)),
    fc.constant(null),
    tie("table"),
    fc.array(tie("value"), { maxLength: 4 }),
  ),
  table: fc.dictionary(key, tie("value"), { maxKeys: 5, noNullPrototype: true }),
}));
const values = {
  bit: fc.boolean(),
  octet: fc.integer({ min: 0, max: 0xff }),
  short: fc.integer({ min: 0, max: 0xffff }),
  long: fc.integer({ min: 0, max: 0xffffffff }),
  longlong: fc.maxSafeNat(),
  shortstr: shortString,
  longstr: fc.string({ unit: "grapheme" }),
  secret: fc.string({ unit: "grapheme" }),
  table: field.table,
};

/** Any method with any fields. */
const call = fc.constantFrom(...(Object.keys(methods) as MethodName[])).chain((name) =>
  fc.record({
    name: fc.constant(name),
    fields: fc.record(
      Object.fromEntries(Object.entries(methods[name].fields).map(([key, type]) => [key, values[type]])),
    ),
  }),
);

/** Each writes a value and returns how many bytes that took. */
const write: Record<string, (view: AMQPView, at: number, value: never) => number> = {
  octet: (view, at, value) => {
    view.setUint8(at, value);
    return 1;
  },
  short: (view, at, value) => {
    view.setUint16(at, value);
    return 2;
  },
  long: (view, at, value) => {
    view.setUint32(at, value);
    return 4;
  },
  longlong: (view, at, value) => {
    view.setBigUint64(at, BigInt(value));
    return 8;
  },
  shortstr: (view, at, value) => view.setShortString(at, value),
  longstr: (view, at, value) => view.setLongString(at, value),
  secret: (view, at, value) => view.setLongString(at, value),
  table: (view, at, value) => view.setTable(at, value),
};

/** Writes a method frame's payload, as a client does. */
function payloadOf(name: MethodName, fields: Record<string, unknown>): Buffer {
  const view = new AMQPView(new ArrayBuffer(bytes));
  const [classId, methodId] = methods[name].id;
  view.setUint16(0, classId);
  view.setUint16(2, methodId);
  let at = 4;
  let bits = 0;
  for (const [key, type] of Object.entries<string>(methods[name].fields)) {
    const value = fields[key] as never;
    if (type === "bit") {
      if (bits % 8 === 0) view.setUint8(at++, 0);
      view.setUint8(at - 1, view.getUint8(at - 1) | (Number(value) << (bits++ % 8)));
      continue;
    }
    bits = 0;
    at += write[type]?.(view, at, value) ?? 0;
  }
  return Buffer.from(view.buffer, 0, at);
}

test("any method is read as it was written, but for its secrets", () => {
  fc.assert(
    fc.property(call, ({ name, fields }) => {
      const payload = payloadOf(name, fields);
      expect(methodOf(payload)).toBe(name);
      const known = Object.entries<string>(methods[name].fields).filter(([, type]) => type !== "secret");
      expect(readFields(name, payload)).toEqual(Object.fromEntries(known.map(([key]) => [key, fields[key]])));
    }),
  );
});

describe("what is malformed", () => {
  test("a method that is too short or too long is refused, and nothing beside its payload is read", () => {
    fc.assert(
      fc.property(call, fc.nat(), ({ name, fields }, cut) => {
        const payload = payloadOf(name, fields);
        fc.pre(payload.length > 4);
        const shortened = payload.subarray(0, 4 + (cut % (payload.length - 4)));
        expect(() => readFields(name, shortened)).toThrow();
        expect(() => readFields(name, Buffer.concat([payload, Buffer.from([0])]))).toThrow();
      }),
    );
  });

  test("a table whose string leads beyond the frame doesn't show what lies there", () => {
    const memory = Buffer.from(
      // queue.unbind with a table of 8 bytes, in which is a string that claims to have 100.
      [0, 50, 0, 50, 0, 0, 0, 0, 0, 0, 0, 0, 8, 1, 97, 83, 0, 0, 0, 100, 97],
    );
    const pool = Buffer.concat([memory, Buffer.from(" a secret that belongs to somebody else".repeat(4))]);
    expect(() => readFields("queue.unbind", pool.subarray(0, memory.length))).toThrow(RangeError);
  });

  test("any bytes as properties are read or refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        try {
          readProperties(Buffer.from(noise));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });

  test("a table of any depth is read or refused", () => {
    // Each level is a key of no characters, and a table.
    const depth = 15_000;
    const table = Buffer.alloc(depth * 6 + 4);
    for (let level = 0; level < depth; level++) {
      table.writeUInt32BE((depth - level) * 6, level * 6);
      table.write("\0F", level * 6 + 4, "latin1");
    }
    const payload = Buffer.concat([Buffer.from([0, 50, 0, 50, 0, 0, 0, 0, 0]), table]);
    expect(() => readFields("queue.unbind", payload)).toThrow(RangeError);
  });
});
