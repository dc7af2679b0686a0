// Prints the process id of a worker of its own, and waits.
import { startWorker } from "../../src/worker.ts";

const script = `
process.stdin.on("end", () => process.exit()).resume();
console.log(JSON.stringify({ event: "done", pid: process.pid }));
`;
const { pid } = await startWorker({ file: process.execPath, args: ["--eval", script] }).done;
console.log(pid);
setInterval(() => {}, 1000);
