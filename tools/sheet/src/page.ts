import { micromark } from "micromark";
import { gfmTable, gfmTableHtml } from "micromark-extension-gfm-table";

/** One page of A4 or Letter, with room for the printer's margins. Each section stays whole. */
const style = `
  @page { size: landscape; margin: 8mm; }
  body { font: 7.6pt/1.25 system-ui, sans-serif; margin: 0 auto; max-width: 281mm; }
  main { columns: 2; column-gap: 6mm; }
  section { break-inside: avoid; }
  h1 { font-size: 13pt; margin: 0 0 1mm; }
  h2 { font-size: 9.5pt; margin: 2mm 0 1mm; }
  p { margin: 1mm 0; }
  table { border-collapse: collapse; width: 100%; }
  th, td { border: 0.2mm solid #999; padding: 0.4mm 1mm; text-align: left; vertical-align: top; }
  th { background: #eee; }
  code { font: 6.8pt ui-monospace, monospace; }
  a { color: inherit; }
`;

/**
 * Makes a page to print from a Markdown file.
 *
 * @param markdown A title, an introduction, and sections under `##` headings, with tables.
 * @returns A whole HTML page that needs no other file.
 */
export function toPage(markdown: string): string {
  const [head = "", ...sections] = markdown.split(/^(?=## )/m);
  // The introduction says how to get to this page.
  const [title = ""] = head.split("\n", 1);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title.replace("# ", "")}</title>
<!-- Made from cheat-sheet.md by "pnpm sheet". -->
<style>${style}</style>
${toHtml(title)}
<main>
${sections.map((section) => `<section>\n${toHtml(section)}\n</section>`).join("\n")}
</main>
</html>
`;
}

function toHtml(markdown: string): string {
  return micromark(markdown, { extensions: [gfmTable()], htmlExtensions: [gfmTableHtml()] }).trim();
}
