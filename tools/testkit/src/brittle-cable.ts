import { openEnd } from "./cable.ts";

/** Their numbers in AMQP 0-9-1's section 1.8: class and method. */
const methods = { "basic.publish": [60, 40], "basic.get": [60, 70], "basic.reject": [60, 90] } as const;

/**
 * Lays a cable to a broker, from a port of its own on 127.0.0.1, that breaks between two frames.
 *
 * @param amqpUrl Where it leads.
 * @param method The method of the client's from which on frames are counted.
 * @param whole How many frames of the client get through from its first call on, that one included.
 * @param onBreak Is called when the next one is due, which doesn't get through, nor does anything after it.
 * @returns The broker's URL at this end, and `remove`.
 */
export async function layBrittleCable(
  amqpUrl: string,
  method: keyof typeof methods,
  whole: number,
  onBreak: () => void,
) {
  const { amqpUrl: nearUrl, server } = await openEnd(amqpUrl, (near, far) => {
    far.pipe(near).on("error", () => far.destroy());
    far.on("error", () => near.destroy());
    near.once("close", () => far.destroy());
    let unread: Buffer = Buffer.alloc(0);
    let left = Number.POSITIVE_INFINITY;
    near.on("data", (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      for (let end = endOfFrame(unread); end !== undefined; end = endOfFrame(unread)) {
        const frame = unread.subarray(0, end);
        unread = unread.subarray(end);
        if (left === Number.POSITIVE_INFINITY && calls(method, frame)) left = whole;
        if (left === 0) onBreak();
        if (left-- > 0) far.write(frame);
      }
    });
  });
  return { amqpUrl: nearUrl, remove: () => void server.close() };
}

/** AMQP 0-9-1, sections 4.2.2 and 2.3.5: first eight bytes that name the protocol, then frames. */
function endOfFrame(bytes: Buffer): number | undefined {
  if (bytes.length < 8) return undefined;
  const end = bytes.toString("latin1", 0, 4) === "AMQP" ? 8 : 7 + bytes.readUInt32BE(3) + 1;
  return bytes.length < end ? undefined : end;
}

/** A method frame (1), behind whose header of seven bytes two numbers say which method. */
const calls = (method: keyof typeof methods, frame: Buffer) =>
  frame[0] === 1 &&
  frame.readUInt16BE(7) === methods[method][0] &&
  frame.readUInt16BE(9) === methods[method][1];
