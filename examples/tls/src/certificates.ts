import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What make-certificates makes. Git ignores it. */
export const folder = fileURLToPath(new URL("../certificates", import.meta.url));

export const pathOf = (name: string): string => join(folder, `${name}.pem`);

/** Whether there is a certificate with that name, or whatever else is in a file with that name. */
export const isThere = (name: string): boolean => existsSync(pathOf(name));

/** The text of a certificate or of a key. */
export const read = (name: string): string => readFileSync(pathOf(name), "utf8");
