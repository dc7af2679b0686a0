import { integer, usage } from "../../src/script/index.ts";

const { words, options, refuse } = usage("arguments [word]... [--count N]", "arguments a b --count 3", {
  count: { type: "string", default: "1" },
});
const count = integer(options.count, 1);
if (count === undefined) refuse(`--count takes a whole number from 1 up.`);
console.log(JSON.stringify({ words, count }));
