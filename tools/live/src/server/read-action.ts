import type { Action, ByHand, ObjectName, Value } from "../protocol.ts";
import { Refused } from "../refused.ts";

/** Characters of a name or a line, and words of a command. A body may be as long as the request. */
const LONGEST = 2_000;
const MOST = 100;

/**
 * Reads an action that a page has sent.
 *
 * @param json What it has sent, parsed.
 * @throws {Refused} When it is none.
 */
export function readAction(json: unknown): Action {
  const it = new Reader(json, "the action");
  const action = it.string("do");
  switch (action) {
    case "open":
      return { do: action, pattern: it.string("pattern"), anew: it.has("anew") && it.boolean("anew") };
    case "play":
      return { do: action, scenario: it.number("scenario") };
    case "stop":
    case "restart":
      return { do: action };
    case "next":
      return { do: action, turn: it.number("turn") };
    case "speed":
      return { do: action, factor: it.number("factor") };
    case "stepping":
      return { do: action, messages: it.boolean("messages") };
    case "release":
      return { do: action, ...(it.has("hold") && { hold: it.number("hold") }) };
    case "run":
      return { do: action, script: it.string("script"), words: it.strings("words") };
    case "type":
      return { do: action, terminal: it.string("terminal"), text: it.line("text") };
    case "press":
      return { do: action, terminal: it.string("terminal"), key: it.oneOf("key", ["^C", "^\\"]) };
    case "kill":
    case "cut":
      return { do: action, terminal: it.string("terminal") };
    case "pause":
      return { do: action, terminal: it.string("terminal"), paused: it.boolean("paused") };
    case "publish":
      return { do: action, ...readMessage(it) };
    case "preview":
      return {
        do: action,
        exchange: it.string("exchange"),
        key: it.string("key"),
        headers: it.table("headers"),
      };
    case "describe":
      return { do: action, object: readObject(it.reader("object")) };
    default:
      throw new Refused(400, "There is no such action.");
  }
}

function readMessage(it: Reader): ByHand {
  const given = it.reader("properties");
  const properties: ByHand["properties"] = {};
  for (const name of ["contentType", "correlationId", "replyTo", "messageId", "type"] as const)
    if (given.has(name)) properties[name] = given.string(name);
  for (const name of ["expiration", "priority"] as const)
    if (given.has(name)) properties[name] = given.number(name);
  if (given.has("persistent")) properties.persistent = given.boolean("persistent");
  return {
    exchange: it.string("exchange"),
    key: it.string("key"),
    headers: it.table("headers"),
    properties,
    body: it.string("body", Number.POSITIVE_INFINITY),
    mandatory: it.boolean("mandatory"),
  };
}

function readObject(it: Reader): ObjectName {
  const kind = it.oneOf("kind", ["exchange", "queue", "binding", "program", "message"]);
  switch (kind) {
    case "exchange":
    case "queue":
      return { kind, name: it.string("name") };
    case "binding":
      return { kind, exchange: it.string("exchange"), to: it.string("to"), key: it.string("key") };
    case "program":
      return { kind, terminal: it.string("terminal") };
    case "message":
      return { kind, message: it.number("message") };
  }
}

/** Reads the fields of an object that came from outside. */
class Reader {
  readonly #object: Record<string, unknown>;

  constructor(json: unknown, name: string) {
    if (!isObject(json)) throw new Refused(400, `Expected ${name} to be an object.`);
    this.#object = json;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name) && this.#object[name] !== undefined;
  }

  string(name: string, longest = LONGEST): string {
    const value = this.#get(name);
    if (typeof value !== "string" || value.length > longest)
      this.#refuse(name, `a string of at most ${longest} characters`);
    return value;
  }

  line(name: string): string {
    const value = this.string(name);
    if (/[\r\n]/.test(value)) this.#refuse(name, "one line");
    return value;
  }

  strings(name: string): string[] {
    const value = this.#get(name);
    const isOne = (each: unknown): each is string =>
      // An argument of a program can't hold a NUL.
      typeof each === "string" && each.length <= LONGEST && !each.includes("\0");
    if (!Array.isArray(value) || value.length > MOST || !value.every(isOne))
      this.#refuse(name, "a list of strings");
    return value;
  }

  number(name: string): number {
    const value = this.#get(name);
    if (typeof value !== "number" || !Number.isFinite(value)) this.#refuse(name, "a number");
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#get(name);
    if (typeof value !== "boolean") this.#refuse(name, "true or false");
    return value;
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const value = this.#get(name);
    const found = values.find((each) => each === value);
    return found ?? this.#refuse(name, `one of ${values.join(", ")}`);
  }

  table(name: string): Record<string, Value> {
    const value = this.#get(name);
    if (!isObject(value)) this.#refuse(name, "an object");
    // It was parsed from JSON.
    return value as Record<string, Value>;
  }

  reader(name: string): Reader {
    return new Reader(this.#get(name), name);
  }

  #get(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  #refuse(name: string, expected: string): never {
    throw new Refused(400, `Expected "${name}" to be ${expected}.`);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
