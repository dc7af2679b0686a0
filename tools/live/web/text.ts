import type { Message } from "../src/protocol.ts";

/** Shortens a text for a place with little room. */
export function cut(text: string, length: number): string {
  const characters = [...text];
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : text;
}

/** Makes control characters and invisible ones visible, which could otherwise hide or reorder text. */
export const visible = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, "␀");

/** A name that the broker made up says nothing: its beginning will do. */
export const short = (name: string): string => (name.startsWith("amq.gen-") ? "amq.gen-…" : visible(name));

/** What a message is known by at first sight: its routing key, or else its priority or its first header. */
export function keyOf({
  exchange,
  key,
  headers,
  properties: { priority },
}: Pick<Message, "exchange" | "key" | "headers" | "properties">): string {
  if (key.startsWith("amq.rabbitmq.reply-to")) return "reply";
  // To the default exchange the key is but the queue's name.
  if (exchange === "" && priority !== undefined) return `priority ${priority}`;
  const [header] = Object.entries(headers);
  if (key === "" && header) return visible(`${header[0]}=${header[1]}`);
  return visible(key) || "(no key)";
}

/** @returns "1 message", "2 messages" */
export const count = (number: number, noun: string): string =>
  `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
