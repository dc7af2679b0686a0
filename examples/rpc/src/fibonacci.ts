import { integer } from "shared";

/**
 * The largest n that is served. fib(10,000) has 2,090 digits and takes about 2 ms, in which the server answers no other
 * client.
 */
export const largest = 10_000;

/**
 * The nth Fibonacci number, exactly: a BigInt, since fib(79) and those after it are too large for a `number`.
 *
 * @param n A whole number, 0 or more. The time it takes grows a little faster than n.
 */
export function fibonacci(n: number): bigint {
  let [current, next] = [0n, 1n];
  for (let step = 0; step < n; step++) [current, next] = [next, current + next];
  return current;
}

/**
 * Reads the body of a request. Any program may have sent it, so it must be a whole number in digits.
 *
 * @param body The number as text.
 * @returns The number, or `undefined` where the body is not a number, or one that is too large.
 */
export function readNumber(body: Buffer): number | undefined {
  const n = integer(body.toString());
  return n !== undefined && n <= largest ? n : undefined;
}
