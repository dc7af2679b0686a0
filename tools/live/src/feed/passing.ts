import type { FieldsOf, MethodName } from "wire";
import type { Content } from "./values.ts";

/** A method that passes the wire of a terminal, with the content that belongs to it. */
export type Passing = {
  [Name in MethodName]: {
    method: Name;
    fields: FieldsOf<Name>;
    /** "out": to the broker. */
    direction: "out" | "in";
    channel: number;
    content?: Pick<Content, "properties" | "body" | "size">;
  };
}[MethodName];

export type PassingOf<Name extends MethodName> = Extract<Passing, { method: Name }>;
