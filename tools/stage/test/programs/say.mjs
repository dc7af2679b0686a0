// Tells the listener its arguments, and ends when the listener has heard them.
import { once } from "node:events";
import { connect } from "node:net";

const text = process.argv.slice(2).join(" ");
const socket = connect(process.env.SOCKET);
socket.write(text);
await once(socket.resume(), "close");
console.log(` [x] Sent ${text}`);
