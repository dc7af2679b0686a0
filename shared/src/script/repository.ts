// What a script tells its user to type in this repository. `pnpm take` puts another file in its place.

/**
 * Makes the command that runs a script.
 *
 * @param line The script's name and its arguments: `sub "kern.*"`.
 * @returns What its user types: `pnpm --filter topics sub "kern.*"`. Without pnpm, which tells a script its package, the
 *   line as it is.
 */
export function command(line: string): string {
  const { npm_package_name: pattern } = process.env;
  return pattern ? `pnpm --filter ${pattern} ${line}` : line;
}

/** How to get a broker. */
export const startBroker =
  "Start one with `pnpm broker` or `docker compose up -d --wait`, or set AMQP_URL to yours.";
