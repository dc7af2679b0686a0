import { usage } from "shared";
import { inDays, newAuthority, type Subject } from "./authority.ts";
import { replaceAll } from "./certificates.ts";

usage("make-certificates", "make-certificates");

const made: { name: string; remark: string; certificate: string; key?: string }[] = [];

const ours = await authority("ca", "our authority");
await certificate("server", "a broker at localhost", ours, { host: "localhost" });
await certificate("expired", "the same, until yesterday", ours, { host: "localhost", until: inDays(-1) });
await certificate("billing", "the user billing", ours, { user: "billing" });
const stranger = await authority("stranger", "an authority that the others don't trust");
await certificate("impostor", "the user billing, signed by the stranger", stranger, { user: "billing" });

replaceAll(made);
for (const { name, remark } of made) console.log(` [x] Made ${name}.pem: ${remark}`);

async function authority(name: string, remark: string) {
  const authority = await newAuthority(remark);
  made.push({ name, remark, certificate: authority.certificate });
  return authority;
}

async function certificate(
  name: string,
  remark: string,
  by: Awaited<ReturnType<typeof authority>>,
  subject: Subject,
) {
  made.push({ name, remark, ...(await by.sign(subject)) });
}
