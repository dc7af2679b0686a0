import type { Message } from "amqplib";
import { text } from "shared";

/** A ticket on one line that is safe to print: its priority and its text. */
export const show = ({ properties, content }: Message) =>
  `${properties.priority ?? "none"}: '${text(content)}'`;
