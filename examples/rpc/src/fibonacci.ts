import { integer } from "shared";

/** The largest n that is served. fib(10,000) has 2,090 digits and takes about 2 ms, in which nobody else is served. */
export const largest = 10_000;

/**
 * The nth Fibonacci number, exactly: a BigInt, since fib(79) and all after it are too large for a `number`.
 *
 * @param n A whole number, 0 or more. The time it takes grows a little faster than n.
 */
export function fibonacci(n: number): bigint {
  let [current, next] = [0n, 1n];
  for (let step = 0; step < n; step++) [current, next] = [next, current + next];
  return current;
}

/**
 * Reads the body of a request. Anybody may have sent it, so nothing but a whole number in digits will do.
 *
 * @param body The number as text.
 * @returns The number, or `undefined` where the body is none, or one that isn't served.
 */
export function readNumber(body: Buffer): number | undefined {
  if (body.length > String(largest).length) return undefined;
  const n = integer(body.toString());
  return n !== undefined && n <= largest ? n : undefined;
}
