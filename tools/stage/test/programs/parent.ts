// Opens a terminal, and does nothing to close it.
import { openTerminal } from "../../src/terminal.ts";

const terminal = openTerminal("node test/programs/listener.mjs", { cwd: process.cwd(), env: process.env });
await terminal.printed(" [*] Waiting");
console.log("open");
