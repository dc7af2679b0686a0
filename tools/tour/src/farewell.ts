import { waits } from "./actors.ts";
import type { Screen } from "./screen.ts";
import type { Outcome } from "./tour.ts";

/**
 * Says how a tour went and, unless something was wrong, what to do next.
 *
 * @param others How many patterns there are that the tour did not play.
 */
export function farewell({ pages, scenarios, wrong }: Outcome, others: number, screen: Screen): void {
  screen.line();
  if (wrong > 0) {
    screen.line(screen.style("red", `${wrong} of ${scenarios} scenarios were not as their pages say.`));
    return;
  }
  if (pages.length > 0) {
    const played = `${counted(pages.length, "pattern")}, ${counted(scenarios, "scenario")}`;
    screen.line(screen.style("green", `✓ ${played}: all as their pages say.`));
    screen.line();
  }
  screen.line("What to do next:");
  screen.line("  pnpm live      see each message on its way, in your browser");
  screen.line("  pnpm exercise  find the mistake in a program, and correct it");
  screen.line("  by hand        start a broker: docker compose up -d --wait, or pnpm broker");
  const blocks = pages[0]?.readme.scenarios[0]?.blocks ?? [];
  const examples = [blocks.find(waits), blocks.find((block) => !waits(block))].flatMap(
    (block) => block ?? [],
  );
  if (examples.length > 0) screen.line("                 and, in two more terminals:");
  for (const { command } of examples) screen.line(`                   ${command}`);
  if (others > 0)
    screen.line(`There is more: pnpm tour --all also plays ${counted(others, "other pattern")}.`);
  const { TOUR_PNPM_HINT } = process.env;
  if (TOUR_PNPM_HINT) {
    screen.line("Your shell doesn't find pnpm yet. This puts it there:");
    screen.line(`  ${TOUR_PNPM_HINT}`);
  }
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
