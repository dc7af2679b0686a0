import { generate } from "selfsigned";

/**
 * Makes a certificate authority. Its key stays in this process and is forgotten with it: a program that had it could
 * sign a certificate for any name.
 *
 * @param name What its certificate calls it.
 * @returns Its certificate, as the text of a PEM file, and `sign`.
 */
export async function newAuthority(name: string) {
  const { cert, private: key } = await generate([{ name: "commonName", value: name }], {
    ...common,
    notAfterDate: inDays(31),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });

  /**
   * Makes a key, and a certificate for it.
   *
   * @param subject The host whose broker may show it, or the user who may log in with it.
   * @param use Which of the two. A user can't log in with a broker's certificate, and a broker can't use a user's.
   * @param until When it expires.
   */
  async function sign(subject: string, use: "serverAuth" | "clientAuth", until = inDays(30)) {
    const signed = await generate([{ name: "commonName", value: subject }], {
      ...common,
      notAfterDate: until,
      ca: { cert, key },
      extensions: [
        { name: "basicConstraints", cA: false, critical: true },
        { name: "keyUsage", digitalSignature: true, critical: true },
        { name: "extKeyUsage", [use]: true },
        // A client compares the broker's host with this name. RabbitMQ takes the user from the common name.
        { name: "subjectAltName", altNames: [{ type: 2, value: subject }] },
      ],
    });
    return { certificate: signed.cert, key: signed.private };
  }
  return { certificate: cert, sign };
}

/** The time in some days, or some days ago. */
export const inDays = (days: number): Date => new Date(Date.now() + days * 24 * 60 * 60 * 1000);

const common = { keyType: "ec", algorithm: "sha256", notBeforeDate: inDays(-2) } as const;
