import { signal } from "@preact/signals";

/** What the address names: `/topics#run-it`. Without a pattern it is the catalogue. */
export interface Route {
  pattern: string;
  /** The anchor of a scenario, or of another heading of the lesson. */
  anchor: string;
}

const read = (): Route => ({
  pattern: decodeURIComponent(location.pathname.slice(1)),
  anchor: decodeURIComponent(location.hash.slice(1)),
});

export const route = signal<Route>(read());

/** Whether only the picture is shown, as for a film or a projector: `/topics?picture`. */
export const pictureOnly = new URLSearchParams(location.search).has("picture");

addEventListener("popstate", () => {
  route.value = read();
});

/** Goes to another address of the page. `replace`: without a step in the browser's history. */
export function go({ pattern, anchor = "" }: { pattern: string; anchor?: string }, replace = false): void {
  const address = `/${encodeURIComponent(pattern)}${location.search}${anchor ? `#${encodeURIComponent(anchor)}` : ""}`;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  route.value = { pattern, anchor };
}

/** Makes a link within the page go there without loading the page anew. */
export function follow(event: MouseEvent, target: { pattern: string; anchor?: string }): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(target);
}
