// Prints what it is told over the socket at SOCKET. On SIGINT it exits with the code in EXIT, or not at all if
// that is "never".
import { createServer } from "node:net";

const { SOCKET, EXIT = "0" } = process.env;

const server = createServer((socket) => {
  socket.setEncoding("utf8").on("data", (text) => {
    console.log(` [x] Received ${text}`);
    socket.end();
  });
}).listen(SOCKET, () => console.log(" [*] Waiting"));

process.on("SIGINT", () => {
  // Closed, it also removes the socket, so that another one can listen there.
  if (EXIT !== "never") server.close(() => process.exit(Number(EXIT)));
});
