import { describe, expect, test } from "vitest";
import { isFilter, isTopic, toRoutingKey, toTopic } from "../src/topics.ts";

describe("a topic and its routing key", () => {
  test.each([
    ["plant/1/temperature", "plant.1.temperature"],
    ["plant//1/", "plant..1."],
    ["/plant", ".plant"],
    ["Größe/*", "Größe.*"],
  ])("%s is %s, and back", (topic, key) => {
    expect(toRoutingKey(topic)).toBe(key);
    expect(toTopic(key)).toBe(topic);
  });

  test("a dot becomes the end of a word, and a slash the end of a level", () => {
    expect(toRoutingKey("plant/1.5")).toBe("plant.1.5");
    expect(toTopic("plant/1.5")).toBe("plant/1/5");
  });

  test("a topic may be longer than a routing key", () => {
    expect(toRoutingKey("é".repeat(127))).toBe("é".repeat(127));
    expect(toRoutingKey("é".repeat(128))).toBeUndefined();
  });

  test.each(["", "plant.+", "plant.#", "$SYS.x", "a\0b", "a\nb", "a\x7fb", "a\uffffb"])(
    "%j makes no topic",
    (key) => {
      expect(toTopic(key)).toBeUndefined();
      expect(isTopic(key)).toBe(false);
    },
  );
});

test.each(["#", "+", "plant/#", "/+/", "+/+/#", "plant/1", "$SYS/#", "a//b"])("%s is a filter", (filter) => {
  expect(isFilter(filter)).toBe(true);
});

test.each(["", "#/plant", "plant#", "plant/a+", "+b", "a\0", "plant/##", "#+", "é".repeat(2 ** 15)])(
  "%j is no filter",
  (filter) => {
    expect(isFilter(filter)).toBe(false);
  },
);
