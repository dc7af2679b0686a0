// Prints what it is told over the socket at SOCKET. On SIGINT it exits with the code in EXIT after LINGER ms, or not
// at all if EXIT is "never".
import { unlinkSync } from "node:fs";
import { createServer } from "node:net";

const { SOCKET, EXIT = "0", LINGER = "0" } = process.env;

createServer((socket) => {
  socket.setEncoding("utf8").on("data", (text) => {
    console.log(` [x] Received ${text}`);
    socket.end();
  });
}).listen(SOCKET, () => console.log(" [*] Waiting"));

process.on("SIGINT", () => {
  if (EXIT === "never") return;
  setTimeout(() => {
    // Another one can then listen there.
    unlinkSync(SOCKET);
    process.exit(Number(EXIT));
  }, Number(LINGER));
});
