import { generate } from "selfsigned";

/** A certificate or a key, as the text of a PEM file. */
type Pem = string;

export interface Authority {
  certificate: Pem;
  /**
   * Makes a key, and a certificate for it.
   *
   * @param subject The host whose broker may show it, or the user who may log in with it; and the day on which it
   *   expires, a month from now by default.
   */
  sign(subject: Subject): Promise<{ certificate: Pem; key: Pem }>;
}

export type Subject = ({ host: string } | { user: string }) & { until?: Date };

/**
 * Makes a certificate authority. Its key stays in this process and is forgotten with it: a program that had it could
 * sign a certificate for any name.
 *
 * @param name What its certificate calls it.
 */
export async function newAuthority(name: string): Promise<Authority> {
  const { cert, private: key } = await generate([{ name: "commonName", value: name }], {
    ...common,
    notAfterDate: inDays(31),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return {
    certificate: cert,
    async sign(subject) {
      const isHost = "host" in subject;
      const signed = await generate([{ name: "commonName", value: isHost ? subject.host : subject.user }], {
        ...common,
        notAfterDate: subject.until ?? inDays(30),
        ca: { cert, key },
        extensions: [
          { name: "basicConstraints", cA: false, critical: true },
          { name: "keyUsage", digitalSignature: true, critical: true },
          // A broker's certificate is no user's, and the other way round.
          { name: "extKeyUsage", serverAuth: isHost, clientAuth: !isHost },
          // This is the name that clients compare, not the common name.
          ...(isHost
            ? [{ name: "subjectAltName" as const, altNames: [{ type: 2 as const, value: subject.host }] }]
            : []),
        ],
      });
      return { certificate: signed.cert, key: signed.private };
    },
  };
}

/** The time in some days, or some days ago. */
export const inDays = (days: number): Date => new Date(Date.now() + days * 24 * 60 * 60 * 1000);

const common = { keyType: "ec", algorithm: "sha256", notBeforeDate: inDays(-2) } as const;
