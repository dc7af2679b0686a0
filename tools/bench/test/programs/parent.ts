// Prints the process id of a worker of its own, and waits.
import { startWorker, typescript } from "../../src/worker.ts";

startWorker(typescript("../test/programs/worker.ts", { sayId: true }), { onProgress: console.log });
setInterval(() => {}, 1000);
