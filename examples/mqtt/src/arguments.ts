import { integer, text, usage } from "shared";
import { fits, isFilter, isTopic } from "./topics.ts";

/** The command line of mqtt-pub. One that makes no sense in MQTT is refused with the usage. */
export function readPub() {
  const { words, options, refuse } = usage(
    "mqtt-pub <topic> [text...] [--qos 0|1] [--retain] [--will text] [--vanish] [--every ms]",
    "mqtt-pub plant/1/temperature 21.5 --qos 1",
    {
      qos: { type: "string", default: "1" },
      retain: { type: "boolean", default: false },
      will: { type: "string" },
      vanish: { type: "boolean" },
      every: { type: "string" },
    },
  );
  const { will, every, retain, vanish } = options;
  const [topic = "", ...rest] = words;
  if (!isTopic(topic))
    refuse(`"${text(topic)}" is no topic: it holds no + and no #, and doesn't begin with $.`);
  if (!fits(will ?? "")) refuse("--will takes at most 65535 bytes.");
  const interval =
    every === undefined ? undefined : (integer(every, 1) ?? refuse("--every takes a whole number of ms."));
  const qos = readQos(options.qos, refuse);
  const session = will === undefined ? {} : { will: { topic, payload: Buffer.from(will), qos, retain } };
  return { topic, words: rest, qos, retain, vanish, session, interval };
}

/** The command line of mqtt-sub. One that makes no sense in MQTT is refused with the usage. */
export function readSub() {
  const synopsis = "mqtt-sub <filter>... [--qos 0|1] [--session name]";
  const { words, options, refuse } = usage(synopsis, 'mqtt-sub "plant/+/temperature"', {
    qos: { type: "string", default: "1" },
    session: { type: "string" },
  });
  const wrong = words.find((filter) => !isFilter(filter));
  if (wrong !== undefined)
    refuse(`"${text(wrong)}" is no filter: + and # stand for whole levels, and # only for the last.`);
  const { session: name } = options;
  if (name === "" || !fits(name ?? "")) refuse("--session takes a name of 1 to 65535 bytes.");
  const session = name === undefined ? {} : { clientId: name, clean: false };
  return { filters: words, qos: readQos(options.qos, refuse), session };
}

const readQos = (word: string, refuse: (reason: string) => never): 0 | 1 =>
  word === "0" ? 0 : word === "1" ? 1 : refuse("--qos takes 0 or 1.");
