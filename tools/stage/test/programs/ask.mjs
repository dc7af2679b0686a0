// Asks for a name behind a prompt, twice.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (const prompt of ["Name?", "> "]) {
  process.stdout.write(prompt);
  const { value } = await lines.next();
  console.log(`Hello ${value}`);
}
process.exit();
