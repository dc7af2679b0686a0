import { readFileSync } from "node:fs";

/** What Vitest wrote about a package's tests, for people. */
export interface Results {
  passed: number;
  skipped: number;
  /** A line or a few for each test that failed, and for each file that couldn't be run. */
  failures: string[];
  /** The same for each test that failed and passed when it was tried again. It is one of those that passed. */
  unstable: string[];
}

/**
 * Reads the report of a run.
 *
 * @param file What Vitest's JSON reporter wrote.
 * @returns What it says. Where no test ran, that is a failure.
 */
export function readResults(file: string): Results {
  const report = read(file);
  if (!report) return { passed: 0, skipped: 0, failures: ["no test ran"], unstable: [] };
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const failures = [
    ...tests.filter(({ status }) => status === "failed").map(inWords),
    ...report.testResults.filter(couldNotRun).map(({ message }) => beginning(message)),
  ];
  const passed = report.numPassedTests;
  if (passed === 0 && failures.length === 0) failures.push("no test ran");
  const unstable = tests
    .filter(({ status, failureMessages }) => status === "passed" && failureMessages.length > 0)
    .map(inWords);
  return { passed, skipped: report.numPendingTests, failures, unstable };
}

interface Report {
  numPassedTests: number;
  numPendingTests: number;
  testResults: File[];
}

interface File {
  status: string;
  message: string;
  assertionResults: Test[];
}

interface Test {
  status: string;
  fullName: string;
  /** Of each time that it was tried and failed. */
  failureMessages: string[];
}

function read(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return undefined;
  }
}

const couldNotRun = ({ status, assertionResults }: File) =>
  status === "failed" && !assertionResults.some(({ status }) => status === "failed");

/** Of a test that took too long, Vitest 4.1.12 reports only this and a stack. */
const TOO_LONG = /^Error: STACK_TRACE_ERROR\n.*/s;

const inWords = ({ fullName, failureMessages }: Test) => {
  const reasons = failureMessages.map((message) =>
    message.replace(TOO_LONG, "It took longer than its timeout."),
  );
  return `${fullName}\n${beginning(reasons.join("\n"))}`;
};

/** Whole, a message may hold a screen or the stack of each cause. */
const beginning = (message: string) => message.split("\n").slice(0, 20).join("\n");
