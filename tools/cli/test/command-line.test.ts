import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { flag, list, number, port, readCommandLine, string, UsageError, whole } from "../src/index.ts";

const printed: string[] = [];
const complained: string[] = [];
beforeEach(() => {
  // cac prints the help with console.info.
  vi.spyOn(console, "info").mockImplementation((text: string) => void printed.push(text));
  vi.spyOn(console, "error").mockImplementation((text: string) => void complained.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  printed.length = 0;
  complained.length = 0;
});

const options = {
  open: flag("Opens it"),
  vhost: string("NAME", "The virtual host"),
  managementPort: port("The port of the management page"),
  rounds: whole("How many rounds", { from: 1, to: 1000 }),
  minutes: number("M", "How long"),
  only: list("NAMES", "Only these"),
};
const command = {
  name: "pnpm thing",
  words: "[pattern]",
  about: "Does a thing.",
  options,
  more: "Once more.",
};
const usage =
  "Usage: pnpm thing [pattern] [--open] [--vhost NAME] [--management-port N] [--rounds N] [--minutes M] [--only NAMES]... [--help]";

const read = (...args: string[]) =>
  readCommandLine(args, command, (values, words) => {
    if (words.includes("nothing")) throw new UsageError('There is no "nothing".');
    return { ...values, words };
  });

test("reads options, in each of their forms, and words", () => {
  expect(read("topics", "--open", "rpc")).toEqual({ open: true, words: ["topics", "rpc"] });
  expect(read("--vhost", "shop", "--management-port=15672", "--rounds", "12", "--minutes", "0.5")).toEqual({
    open: false,
    vhost: "shop",
    managementPort: 15672,
    rounds: 12,
    minutes: 0.5,
    words: [],
  });
  expect(read("--only", "Python,Go", "--only=Java")).toMatchObject({ only: ["Python", "Go", "Java"] });
  expect(read("--", "--open")).toMatchObject({ open: false, words: ["--open"] });
});

test.each(["007", "1e3", "0x10", "true", "", "a=b", " "])("keeps the value %j as it was typed", (value) => {
  expect(read("--vhost", value)).toMatchObject({ vhost: value });
  expect(read(`--vhost=${value}x`)).toMatchObject({ vhost: `${value}x` });
  expect(read(value)).toMatchObject({ words: [value] });
});

describe("answers what makes no sense with the reason, the usage and exit code 2:", () => {
  test.each([
    [["--prt"], "Unknown option `--prt`"],
    [["-p"], "Unknown option `-p`"],
    [["--vhost"], "option `--vhost <NAME>` value is missing"],
    [["--vhost", "--open"], "option `--vhost <NAME>` value is missing"],
    [["--no-vhost"], "option `--vhost <NAME>` value is missing"],
    [["--vhost", "a", "--vhost", "b"], "--vhost is given twice."],
    [["--management-port", "amqp"], '--management-port takes a whole number from 1 to 65535, not "amqp".'],
    [["--management-port", "65536"], '--management-port takes a whole number from 1 to 65535, not "65536".'],
    [["--rounds", "0"], '--rounds takes a whole number from 1 to 1000, not "0".'],
    [["--rounds", "2.5"], '--rounds takes a whole number from 1 to 1000, not "2.5".'],
    [["--minutes", "0"], '--minutes takes a number above 0, not "0".'],
    [["--minutes", "soon"], '--minutes takes a number above 0, not "soon".'],
    [["nothing"], 'There is no "nothing".'],
    [["--rounds", "\x1b[2J"], String.raw`--rounds takes a whole number from 1 to 1000, not "\x1b[2J".`],
  ])("%j", (args, reason) => {
    expect(read(...args)).toBe(2);
    expect(complained).toEqual([`${reason}\n${usage}`]);
    expect(printed).toEqual([]);
  });

  test("a word where none is expected", () => {
    const { words: _, ...without } = command;
    expect(readCommandLine(["here"], without, (values) => values)).toBe(2);
    expect(complained[0]).toMatch(
      /^Nothing is expected where "here" stands\.\nUsage: pnpm thing \[--open\] /,
    );
  });
});

test.each(["--help", "-h"])("%s: the help on stdout, and exit code 0", (word) => {
  expect(read("nothing", word)).toBe(0);
  expect(complained).toEqual([]);
  expect(printed).toEqual([
    `${usage}

Does a thing.

Options:
  --open                 Opens it
  --vhost <NAME>         The virtual host
  --management-port <N>  The port of the management page
  --rounds <N>           How many rounds
  --minutes <M>          How long
  --only <NAMES>         Only these
  -h, --help             Display this message

Once more.`,
  ]);
});

test("passes on an error that is no user's", () => {
  const broken = () =>
    readCommandLine([], command, () => {
      throw new TypeError("broken");
    });
  expect(broken).toThrow(new TypeError("broken"));
});
