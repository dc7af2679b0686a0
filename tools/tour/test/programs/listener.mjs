// Listens at the socket at SOCKET, and won't be interrupted.
import { createServer } from "node:net";

process.on("SIGINT", () => {});
createServer().listen(process.env.SOCKET, () => console.log(" [*] Listening"));
