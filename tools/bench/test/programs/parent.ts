// Prints the process id of a worker of its own, and waits.
import { typescript } from "../../src/engine/programs.ts";
import { startWorker } from "../../src/engine/worker.ts";

startWorker(typescript("../../test/programs/worker.ts", "echo", { sayId: true }), {
  onProgress: console.log,
});
setInterval(() => {}, 1000);
