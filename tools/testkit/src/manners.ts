import { readFileSync } from "node:fs";
import amqp, { type Channel } from "amqplib";
import { exitInWords, READY, type Terminal } from "stage";
import { describe, expect } from "vitest";
import { newTest, readScript } from "./fixtures.ts";

/** What there is to know about a script, to try on it what a user does wrong. */
export interface Manners {
  /** Arguments that are right. None by default. */
  args?: string[];
  /** Command lines that it turns down with its usage. */
  wrong?: string[][];
  /**
   * Whether it runs until Ctrl-C: `true` for one that prints a line of readiness, else a pattern for the line that
   * says that it is at work.
   */
  stays?: true | RegExp;
  /** What it does when the broker goes away for good while it runs: waits for it (by default), or ends. */
  brokerLost?: "waits" | "ends";
  /** Declares its queue or exchange otherwise than the script does. */
  conflict?: (channel: Channel) => Promise<unknown>;
}

/** No process listens there: it is below those ports that a user may take. */
const [NOWHERE, PASSWORD] = ["127.0.0.1:1", "secret"];

/** In a virtual host that only these tests use, whatever the file's others do. */
const test = newTest();

/** What needs no broker is the same with all of them: CI leaves it out when it tests on a second one. */
const testsWithoutBroker = process.env.TESTS_WITHOUT_BROKER !== "no";
const testWithoutBroker = testsWithoutBroker ? test : () => {};

/**
 * Tests what scripts do when their user does something wrong: they tell in one or two lines what it is, without a stack,
 * and exit with the right code. What `shared` does for all of them (a refused login, a missing permission, a URL that is
 * wrong) is tested there.
 *
 * @param scripts The package's scripts, by their names in package.json.
 */
export function manners(scripts: Record<string, Manners>): void {
  for (const [script, { args = [], wrong = [], stays, conflict }] of Object.entries(scripts)) {
    // Vitest takes a group without a test for a failure.
    const sends = !stays && saysSent(script);
    if (!testsWithoutBroker && !stays && !conflict && !sends) continue;
    describe(`manners of ${script}`, () => {
      testWithoutBroker(
        "no broker: prints what was tried and what to do, without the password",
        async ({ runWith }) => {
          const amqpUrl = `amqp://me:${PASSWORD}@${NOWHERE}`;
          const { errors } = await refusal(runWith({ amqpUrl }, script, ...args));
          expect(errors).toHaveLength(2);
          expect(errors[0]).toContain(NOWHERE);
          expect(errors.join()).not.toContain(PASSWORD);
        },
      );

      if (conflict)
        test("what it declares exists already, and is different", async ({
          broker,
          runWith,
          onTestFinished,
        }) => {
          const { amqpUrl, delete: remove } = await broker.createVirtualHost();
          onTestFinished(remove);
          const connection = await amqp.connect(amqpUrl, { noDelay: true });
          await conflict(await connection.createChannel());
          await connection.close();
          const { errors } = await refusal(runWith({ amqpUrl }, script, ...args));
          expect(errors).toEqual([expect.stringMatching(/exists/)]);
        });

      testWithoutBroker("--help: the usage, on stdout", async ({ run }) => {
        const { exit, lines, errors } = await end(run(script, "--help"));
        expect(errors).toEqual([]);
        expect(lines[0]).toMatch(new RegExp(`^Usage: .* ${script}\\b`));
        // Where there is an example, it can be typed as it is.
        expect(lines[1] ?? script).toMatch(new RegExp(`${script}\\b[^[<]*$`));
        expect(exit).toBe("exit code 0");
      });

      for (const words of [...wrong, [...args, "--no-such-option"]])
        testWithoutBroker(`wrong arguments: ${words.join(" ") || "none"}`, async ({ run }) => {
          const { exit, lines, errors } = await end(run(script, ...words));
          expect(lines).toEqual(errors);
          expect(errors[0]).not.toMatch(/^Usage/);
          expect(errors[1]).toMatch(new RegExp(`^Usage: .* ${script}\\b`));
          expect(exit).toBe("exit code 2");
        });

      if (sends)
        test("sends text as text, and says Sent when the broker has confirmed it, not before", async ({
          broker,
          runWith,
          wireTo,
          onTestFinished,
        }) => {
          // The other tests expect empty queues.
          const { amqpUrl, delete: remove } = await broker.createVirtualHost();
          onTestFinished(remove);
          const wire = await wireTo(amqpUrl);
          const types: unknown[] = [];
          wire.on("said", (said) => {
            if (said.method === "basic.publish") types.push(said.content.properties.contentType);
          });
          wire.holdWhen(({ method, direction }) => method === "basic.ack" && direction === "to-client");
          const terminal = runWith({ amqpUrl: wire.amqpUrl }, script, ...args);
          // What it printed before the broker's answer came here has come here, too.
          await expect.poll(() => wire.held.length, { interval: 50 }).toBeGreaterThan(0);
          expect(terminal.lines).toEqual([]);
          wire.release();
          await terminal.printed(SENT);
          expect((await end(terminal)).exit).toBe("exit code 0");
          expect([...new Set(types)]).toEqual(["text/plain"]);
        });

      if (stays)
        test("Ctrl-C ends it well", async ({ run }) => {
          const terminal = run(script, ...args);
          await terminal.printed(stays === true ? READY : stays);
          terminal.press("^C");
          const { exit, errors } = await end(terminal);
          expect(errors).toEqual([]);
          expect(exit).toBe("exit code 0");
        });
    });
  }

  const staying = Object.entries(scripts).filter(([, { stays }]) => stays);
  if (staying.length > 0)
    test("the broker goes away for good: a line, and no more", async ({
      broker,
      runWith,
      wireTo,
      onTestFinished,
    }) => {
      const virtualHost = await broker.createVirtualHost();
      onTestFinished(virtualHost.delete);
      // At its near end, a wire that is unplugged looks like a broker that has died.
      const wire = await wireTo(virtualHost.amqpUrl);
      const running = staying.map(([script, { args = [], stays, brokerLost = "waits" }]) => ({
        script,
        terminal: runWith({ amqpUrl: wire.amqpUrl }, script, ...args),
        atWork: stays instanceof RegExp ? stays : READY,
        waits: brokerLost === "waits",
      }));
      for (const { terminal, atWork } of running) await terminal.printed(atWork);
      await wire.unplug();
      for (const { script, terminal, waits } of running) {
        await terminal.until(() => terminal.errors.length > 0, PATIENCE);
        if (waits) terminal.press("^C");
        const { exit, errors } = await end(terminal);
        expect({ script, exit }).toEqual({ script, exit: `exit code ${waits ? 0 : 1}` });
        expect(errors.length, errors.join("\n")).toBeGreaterThan(0);
        expect(errors.length, errors.join("\n")).toBeLessThanOrEqual(waits ? 1 : 2);
      }
    });
}

/** What the official tutorials' producers print. */
const SENT = /^ \[x\] Sent /;

function saysSent(script: string): boolean {
  const { source } = readScript(script);
  return source !== undefined && readFileSync(source, "utf8").includes(" [x] Sent ");
}

/** ms; a bound for programs that should end at once. */
const PATIENCE = 15_000;

/** Waits for the end of a script that can't do its work: exit code 1, one or two lines on stderr and nothing else. */
async function refusal(terminal: Terminal) {
  const { exit, lines, errors } = await end(terminal);
  expect(lines).toEqual(errors);
  expect(errors.length, errors.join("\n")).toBeGreaterThan(0);
  expect(errors.length, errors.join("\n")).toBeLessThanOrEqual(2);
  expect(exit).toBe("exit code 1");
  return { errors };
}

async function end(terminal: Terminal) {
  if (!(await terminal.until(() => terminal.ended !== undefined, PATIENCE)))
    throw new Error(`It still ran after ${PATIENCE / 1000} s. It had printed:\n${terminal.lines.join("\n")}`);
  const { lines, errors } = terminal;
  for (const line of lines) expect(line).not.toMatch(/^\s+at /);
  return { exit: exitInWords(await terminal.exit), lines, errors };
}
