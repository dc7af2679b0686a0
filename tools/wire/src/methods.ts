import { AMQPView } from "@cloudamqp/amqp-client/amqp-view";

/** What a field of a method holds. A `secret` is a long string that is skipped. */
interface FieldTypes {
  bit: boolean;
  octet: number;
  short: number;
  long: number;
  longlong: number;
  shortstr: string;
  longstr: string;
  table: FieldTable;
  secret: never;
}

/** A field table of AMQP. The broker's own types are known: strings, numbers, dates, tables, arrays, bytes. */
export type FieldTable = Record<string, unknown>;

interface Method {
  readonly id: readonly [classId: number, methodId: number];
  readonly fields: Readonly<Record<string, keyof FieldTypes>>;
  /** Whether properties and a body follow. */
  readonly content?: true;
}

const exchangeToExchange = {
  ticket: "short",
  destination: "shortstr",
  source: "shortstr",
  routingKey: "shortstr",
  noWait: "bit",
  arguments: "table",
} as const;
const closing = { replyCode: "short", replyText: "shortstr", classId: "short", methodId: "short" } as const;
const tuning = { channelMax: "short", frameMax: "long", heartbeat: "short" } as const;

/**
 * The methods of AMQP 0-9-1 with RabbitMQ's extensions, each with its numbers and its fields in their order on the
 * wire. Fields have
 * the specification's names in camel case, as in amqplib.
 *
 * @see https://www.rabbitmq.com/resources/specs/amqp0-9-1.extended.xml
 */
export const methods = {
  "connection.start": {
    id: [10, 10],
    fields: {
      versionMajor: "octet",
      versionMinor: "octet",
      serverProperties: "table",
      mechanisms: "longstr",
      locales: "longstr",
    },
  },
  "connection.start-ok": {
    id: [10, 11],
    fields: { clientProperties: "table", mechanism: "shortstr", response: "secret", locale: "shortstr" },
  },
  "connection.secure": { id: [10, 20], fields: { challenge: "secret" } },
  "connection.secure-ok": { id: [10, 21], fields: { response: "secret" } },
  "connection.tune": { id: [10, 30], fields: tuning },
  "connection.tune-ok": { id: [10, 31], fields: tuning },
  "connection.open": {
    id: [10, 40],
    fields: { virtualHost: "shortstr", capabilities: "shortstr", insist: "bit" },
  },
  "connection.open-ok": { id: [10, 41], fields: { knownHosts: "shortstr" } },
  "connection.close": { id: [10, 50], fields: closing },
  "connection.close-ok": { id: [10, 51], fields: {} },
  "connection.blocked": { id: [10, 60], fields: { reason: "shortstr" } },
  "connection.unblocked": { id: [10, 61], fields: {} },
  "connection.update-secret": { id: [10, 70], fields: { newSecret: "secret", reason: "shortstr" } },
  "connection.update-secret-ok": { id: [10, 71], fields: {} },

  "channel.open": { id: [20, 10], fields: { outOfBand: "shortstr" } },
  "channel.open-ok": { id: [20, 11], fields: { channelId: "longstr" } },
  "channel.flow": { id: [20, 20], fields: { active: "bit" } },
  "channel.flow-ok": { id: [20, 21], fields: { active: "bit" } },
  "channel.close": { id: [20, 40], fields: closing },
  "channel.close-ok": { id: [20, 41], fields: {} },

  "access.request": {
    id: [30, 10],
    fields: {
      realm: "shortstr",
      exclusive: "bit",
      passive: "bit",
      active: "bit",
      write: "bit",
      read: "bit",
    },
  },
  "access.request-ok": { id: [30, 11], fields: { ticket: "short" } },

  "exchange.declare": {
    id: [40, 10],
    fields: {
      ticket: "short",
      exchange: "shortstr",
      type: "shortstr",
      passive: "bit",
      durable: "bit",
      autoDelete: "bit",
      internal: "bit",
      noWait: "bit",
      arguments: "table",
    },
  },
  "exchange.declare-ok": { id: [40, 11], fields: {} },
  "exchange.delete": {
    id: [40, 20],
    fields: { ticket: "short", exchange: "shortstr", ifUnused: "bit", noWait: "bit" },
  },
  "exchange.delete-ok": { id: [40, 21], fields: {} },
  "exchange.bind": { id: [40, 30], fields: exchangeToExchange },
  "exchange.bind-ok": { id: [40, 31], fields: {} },
  "exchange.unbind": { id: [40, 40], fields: exchangeToExchange },
  "exchange.unbind-ok": { id: [40, 51], fields: {} },

  "queue.declare": {
    id: [50, 10],
    fields: {
      ticket: "short",
      queue: "shortstr",
      passive: "bit",
      durable: "bit",
      exclusive: "bit",
      autoDelete: "bit",
      noWait: "bit",
      arguments: "table",
    },
  },
  "queue.declare-ok": {
    id: [50, 11],
    fields: { queue: "shortstr", messageCount: "long", consumerCount: "long" },
  },
  "queue.bind": {
    id: [50, 20],
    fields: {
      ticket: "short",
      queue: "shortstr",
      exchange: "shortstr",
      routingKey: "shortstr",
      noWait: "bit",
      arguments: "table",
    },
  },
  "queue.bind-ok": { id: [50, 21], fields: {} },
  "queue.purge": { id: [50, 30], fields: { ticket: "short", queue: "shortstr", noWait: "bit" } },
  "queue.purge-ok": { id: [50, 31], fields: { messageCount: "long" } },
  "queue.delete": {
    id: [50, 40],
    fields: { ticket: "short", queue: "shortstr", ifUnused: "bit", ifEmpty: "bit", noWait: "bit" },
  },
  "queue.delete-ok": { id: [50, 41], fields: { messageCount: "long" } },
  "queue.unbind": {
    id: [50, 50],
    fields: {
      ticket: "short",
      queue: "shortstr",
      exchange: "shortstr",
      routingKey: "shortstr",
      arguments: "table",
    },
  },
  "queue.unbind-ok": { id: [50, 51], fields: {} },

  "basic.qos": { id: [60, 10], fields: { prefetchSize: "long", prefetchCount: "short", global: "bit" } },
  "basic.qos-ok": { id: [60, 11], fields: {} },
  "basic.consume": {
    id: [60, 20],
    fields: {
      ticket: "short",
      queue: "shortstr",
      consumerTag: "shortstr",
      noLocal: "bit",
      noAck: "bit",
      exclusive: "bit",
      noWait: "bit",
      arguments: "table",
    },
  },
  "basic.consume-ok": { id: [60, 21], fields: { consumerTag: "shortstr" } },
  "basic.cancel": { id: [60, 30], fields: { consumerTag: "shortstr", noWait: "bit" } },
  "basic.cancel-ok": { id: [60, 31], fields: { consumerTag: "shortstr" } },
  "basic.publish": {
    id: [60, 40],
    fields: {
      ticket: "short",
      exchange: "shortstr",
      routingKey: "shortstr",
      mandatory: "bit",
      immediate: "bit",
    },
    content: true,
  },
  "basic.return": {
    id: [60, 50],
    fields: { replyCode: "short", replyText: "shortstr", exchange: "shortstr", routingKey: "shortstr" },
    content: true,
  },
  "basic.deliver": {
    id: [60, 60],
    fields: {
      consumerTag: "shortstr",
      deliveryTag: "longlong",
      redelivered: "bit",
      exchange: "shortstr",
      routingKey: "shortstr",
    },
    content: true,
  },
  "basic.get": { id: [60, 70], fields: { ticket: "short", queue: "shortstr", noAck: "bit" } },
  "basic.get-ok": {
    id: [60, 71],
    fields: {
      deliveryTag: "longlong",
      redelivered: "bit",
      exchange: "shortstr",
      routingKey: "shortstr",
      messageCount: "long",
    },
    content: true,
  },
  "basic.get-empty": { id: [60, 72], fields: { clusterId: "shortstr" } },
  "basic.ack": { id: [60, 80], fields: { deliveryTag: "longlong", multiple: "bit" } },
  "basic.reject": { id: [60, 90], fields: { deliveryTag: "longlong", requeue: "bit" } },
  "basic.recover-async": { id: [60, 100], fields: { requeue: "bit" } },
  "basic.recover": { id: [60, 110], fields: { requeue: "bit" } },
  "basic.recover-ok": { id: [60, 111], fields: {} },
  "basic.nack": { id: [60, 120], fields: { deliveryTag: "longlong", multiple: "bit", requeue: "bit" } },

  "confirm.select": { id: [85, 10], fields: { noWait: "bit" } },
  "confirm.select-ok": { id: [85, 11], fields: {} },

  "tx.select": { id: [90, 10], fields: {} },
  "tx.select-ok": { id: [90, 11], fields: {} },
  "tx.commit": { id: [90, 20], fields: {} },
  "tx.commit-ok": { id: [90, 21], fields: {} },
  "tx.rollback": { id: [90, 30], fields: {} },
  "tx.rollback-ok": { id: [90, 31], fields: {} },
} as const satisfies Record<string, Method>;

/** `basic.publish`, `queue.declare-ok` and so on: the method's class and name as the specification spells them. */
export type MethodName = keyof typeof methods;

/** The methods that properties and a body follow. */
export type ContentMethod = {
  [Name in MethodName]: (typeof methods)[Name] extends { content: true } ? Name : never;
}[MethodName];

/** What a method's fields hold, without secrets. */
export type FieldsOf<Name extends MethodName> = {
  [Field in keyof (typeof methods)[Name]["fields"] as (typeof methods)[Name]["fields"][Field] extends "secret"
    ? never
    : Field]: FieldTypes[(typeof methods)[Name]["fields"][Field] & keyof FieldTypes];
};

const names = new Map<number, MethodName>();
for (const [name, { id }] of Object.entries(methods)) names.set(id[0] * 0x10000 + id[1], name as MethodName);

/**
 * Finds the method that a method frame calls.
 *
 * @param payload The frame's payload. It begins with the numbers of the class and of the method.
 * @returns `undefined` for numbers that AMQP 0-9-1 doesn't have.
 */
export const methodOf = (payload: Buffer): MethodName | undefined =>
  payload.length < 4 ? undefined : names.get(payload.readUInt32BE(0));

/**
 * Reads the fields of a method.
 *
 * @param name Which method it is.
 * @param payload The method frame's payload.
 * @throws When the payload is too short or too long for them, or a table in it is malformed.
 */
export function readFields<Name extends MethodName>(name: Name, payload: Buffer): FieldsOf<Name> {
  const view = viewOf(payload);
  const fields: Record<string, unknown> = {};
  let at = 4;
  // Neighbouring bits share octets, the first in the lowest bit.
  let bits = 0;
  for (const [field, type] of Object.entries<keyof FieldTypes>(methods[name].fields)) {
    if (type === "bit") {
      if (bits % 8 === 0) at++;
      fields[field] = ((view.getUint8(at - 1) >> (bits++ % 8)) & 1) === 1;
      continue;
    }
    bits = 0;
    const [value, length] = readers[type](view, at);
    at += length;
    if (type !== "secret") fields[field] = value;
  }
  expectEnd(at, payload);
  return fields as FieldsOf<Name>;
}

const readers: Record<
  Exclude<keyof FieldTypes, "bit">,
  (view: AMQPView, at: number) => [value: unknown, length: number]
> = {
  octet: (view, at) => [view.getUint8(at), 1],
  short: (view, at) => [view.getUint16(at), 2],
  long: (view, at) => [view.getUint32(at), 4],
  longlong: (view, at) => [Number(view.getBigUint64(at)), 8],
  shortstr: (view, at) => view.getShortString(at),
  longstr: (view, at) => view.getLongString(at),
  table: (view, at) => view.getTable(at),
  secret: (view, at) => [undefined, 4 + view.getUint32(at)],
};

/** A message's properties, by the names that amqplib gives them. */
export interface Properties {
  contentType?: string;
  contentEncoding?: string;
  headers?: FieldTable;
  /** 1: transient; 2: persistent. */
  deliveryMode?: number;
  priority?: number;
  correlationId?: string;
  replyTo?: string;
  /** ms, as text. */
  expiration?: string;
  messageId?: string;
  timestamp?: Date;
  type?: string;
  userId?: string;
  appId?: string;
}

/** Of a content header's payload: the numbers of the class and a weight of 0, then the size of the body. */
const SIZE = 4;
const PROPERTIES = 12;

/**
 * Reads the size of a body from its content header.
 *
 * @param payload The content header's payload.
 * @returns Bytes.
 * @throws When the payload is too short.
 */
export const readSize = (payload: Buffer): number => Number(payload.readBigUInt64BE(SIZE));

/**
 * Reads a message's properties.
 *
 * @param payload The content header's payload.
 * @throws When it is too short or too long, or the headers are malformed.
 */
export function readProperties(payload: Buffer): Properties {
  const [properties, length] = viewOf(payload).getProperties(PROPERTIES);
  expectEnd(PROPERTIES + length, payload);
  return properties as Properties;
}

/**
 * A copy, so that a length that leads beyond the payload throws. In a view on a part of a larger buffer, AMQPView would
 * read a string from what lies behind it.
 */
const viewOf = (payload: Buffer): AMQPView => new AMQPView(new Uint8Array(payload).buffer);

function expectEnd(at: number, payload: Buffer): void {
  if (at !== payload.length) throw new RangeError(`${payload.length} bytes, of which ${at} were expected`);
}
