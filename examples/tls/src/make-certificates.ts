import { usage } from "shared";
import { inDays, newAuthority } from "./authority.ts";
import { replaceAll } from "./certificates.ts";

usage("make-certificates", "make-certificates");

const ours = await newAuthority("our authority");
const server = await ours.sign("localhost", "serverAuth");
const expired = await ours.sign("localhost", "serverAuth", inDays(-1));
const billing = await ours.sign("billing", "clientAuth");
const stranger = await newAuthority("an authority that the others don't trust");
const impostor = await stranger.sign("billing", "clientAuth");

const made = [
  { name: "ca", remark: "our authority", certificate: ours.certificate },
  { name: "server", remark: "a broker at localhost", ...server },
  { name: "expired", remark: "the same, until yesterday", ...expired },
  { name: "billing", remark: "the user billing", ...billing },
  { name: "stranger", remark: "an authority that the others don't trust", certificate: stranger.certificate },
  { name: "impostor", remark: "the user billing, signed by the stranger", ...impostor },
];
replaceAll(made);
for (const { name, remark } of made) console.log(` [x] Made ${name}.pem: ${remark}`);
