import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";
import { exercise, Miss } from "exercise";
import { generate } from "selfsigned";

const bareSend = "src/bare-send.ts";

const ca = `  // Whom we trust: the broker's certificate has to be signed by this authority.
  ca: read("ca"),`;

const anybody = `  // Our certificate authority is our own, and Node doesn't know it.
  rejectUnauthorized: false,`;

export default exercise({
  from: "tls",
  files: [bareSend],
  given: [{ file: bareSend, find: ca, replace: anybody }],

  async check({ run, runWith, folder, until }) {
    const path = (name: string) => join(folder, "certificates", `${name}.pem`);
    if (!existsSync(path("server"))) {
      const made = run("make-certificates");
      await made.ends("make-certificates did not end.");
    }
    const read = (name: string) => readFileSync(path(name), "utf8");

    /** Starts the program with a server that only listens, and tells what it heard. */
    const heardBy = async (certificate: { cert: string; key: string }) => {
      const heard = { amqp: false, user: undefined as string | undefined };
      const server = createServer(
        { ...certificate, ca: read("ca"), requestCert: true, rejectUnauthorized: false },
        (socket) => {
          heard.user = socket.getPeerCertificate().subject?.CN as string | undefined;
          socket.on("error", () => {});
          socket.once("data", (data) => {
            heard.amqp = data.toString().startsWith("AMQP");
            socket.destroy();
          });
        },
      ).listen(0, "127.0.0.1");
      try {
        await once(server, "listening");
        const AMQPS_URL = `amqps://localhost:${(server.address() as AddressInfo).port}`;
        const program = runWith({ env: { AMQPS_URL } }, "bare-send");
        await until(
          () => heard.amqp || program.ended !== undefined,
          "bare-send did not connect to the broker that AMQPS_URL names.",
          { within: 8_000 },
        );
        return { ...heard, program };
      } finally {
        server.close();
      }
    };

    const ours = await heardBy({ cert: read("server"), key: read("server-key") });
    if (!ours.amqp)
      await ours.program.ends(
        "bare-send did not speak to our own broker, whose certificate our authority has signed.",
      );
    if (ours.user !== "billing")
      throw new Miss("bare-send did not show its own certificate, so the broker doesn't know who it is.");

    const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }], {
      keyType: "ec",
      algorithm: "sha256",
    });
    const impostor = await heardBy({ cert, key });
    if (impostor.amqp)
      throw new Miss(
        "A server that has signed its certificate itself said that it was our broker, and bare-send believed it and began " +
          "to speak AMQP. Anyone who redirects the connection to such a server gets all that is sent.",
      );
  },

  says: /has signed its certificate itself said that it was our broker, and bare-send believed it/,
  wrong: [
    {
      why: "with rejectUnauthorized: false, the authority makes no difference",
      on: "solution",
      edits: [{ file: bareSend, find: ca, replace: `${ca}\n  rejectUnauthorized: false,` }],
      says: /bare-send believed it/,
    },
    {
      why: "the environment variable turns it off for the whole process",
      on: "solution",
      edits: [
        {
          file: bareSend,
          find: "const connection = await",
          replace: `process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";\nconst connection = await`,
        },
      ],
      says: /bare-send believed it/,
    },
    {
      why: "Node doesn't know our own authority",
      on: "given",
      edits: [{ file: bareSend, find: `${anybody}\n`, replace: "" }],
      says: /bare-send ended with: .*(unable to|self-signed)/,
    },
  ],
});
