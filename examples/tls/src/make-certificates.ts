import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { usage } from "shared";
import { inDays, newAuthority, type Subject } from "./authority.ts";
import { folder, pathOf } from "./certificates.ts";

const { words, refuse } = usage("make-certificates", "make-certificates");
if (words.length > 0) refuse("make-certificates takes no arguments.");

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { mode: 0o700 });

const ours = await authority("ca", "our authority");
await certificate("server", "a broker at localhost", ours, { host: "localhost" });
await certificate("expired", "the same, until yesterday", ours, { host: "localhost", until: inDays(-1) });
await certificate("billing", "the user billing", ours, { user: "billing" });
const stranger = await authority("stranger", "an authority that nobody trusts");
await certificate("impostor", "the user billing, so says that stranger", stranger, { user: "billing" });

async function authority(name: string, remark: string) {
  const authority = await newAuthority(remark);
  write(name, authority.certificate);
  console.log(` [x] Made ${name}.pem: ${remark}`);
  return authority;
}

async function certificate(
  name: string,
  remark: string,
  by: Awaited<ReturnType<typeof authority>>,
  subject: Subject,
) {
  const { certificate, key } = await by.sign(subject);
  write(name, certificate);
  write(`${name}-key`, key);
  console.log(` [x] Made ${name}.pem: ${remark}`);
}

function write(name: string, pem: string) {
  // Only its owner may read a key.
  writeFileSync(pathOf(name), pem, { mode: name.endsWith("-key") ? 0o600 : 0o644 });
}
