import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where make-certificates puts its files. Git ignores it. */
export const folder = fileURLToPath(new URL("../certificates", import.meta.url));

/** The file of a certificate or of a key. */
export const pathOf = (name: string): string => join(folder, `${name}.pem`);

/**
 * Replaces the folder as a whole: two programs that do so at the same moment must not mix their certificates, which are
 * of different authorities.
 *
 * @param certificates What the new folder holds, as the text of PEM files.
 */
export function replaceAll(certificates: { name: string; certificate: string; key?: string }[]): void {
  // Only its owner may enter it.
  const made = mkdtempSync(`${folder}-`);
  for (const { name, certificate, key } of certificates) {
    writeFileSync(join(made, `${name}.pem`), certificate);
    if (key !== undefined) writeFileSync(join(made, `${name}-key.pem`), key, { mode: 0o600 });
  }
  for (let attempt = 1; ; attempt++)
    try {
      rmSync(folder, { recursive: true, force: true });
      renameSync(made, folder);
      return;
    } catch (error) {
      // The other program was faster. Its folder is replaced as well.
      if (attempt === 10) throw error;
    }
}
