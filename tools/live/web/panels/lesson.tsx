import { useSignal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { get } from "../connection.ts";
import { Html } from "../html.tsx";
import { play } from "../player.ts";
import { go, route } from "../route.ts";
import { openPattern, store } from "../store.ts";

/** The pattern's README. Each of its scenarios can be played from where it stands. */
export function Lesson() {
  const html = useSignal("");
  const box = useRef<HTMLDivElement>(null);
  const pattern = openPattern.value;
  const name = pattern?.name ?? "";
  useEffect(() => {
    if (name)
      void get(`/lesson/${name}`, (response) => response.text()).then((text) => {
        html.value = text;
      });
  }, [name, html]);
  const onShown = useCallback(
    (element: HTMLElement) => {
      for (const [index, { anchor, heading }] of (pattern?.scenarios ?? []).entries()) {
        const button = Object.assign(document.createElement("button"), {
          type: "button",
          className: "small",
          textContent: "▶ Play",
          title: `Play “${heading}”`,
        });
        button.addEventListener("click", () => {
          go({ pattern: name, anchor });
          play(index);
        });
        element.querySelector(`#${CSS.escape(anchor)}`)?.after(button);
      }
      scrollTo(box.current, route.peek().anchor);
    },
    [pattern, name],
  );
  useEffect(() => box.current?.addEventListener("click", follow), []);
  const { anchor } = route.value;
  useEffect(() => scrollTo(box.current, anchor), [anchor]);
  const block = store.block.value;
  const playing = pattern?.scenarios[store.scenario.value ?? -1]?.anchor;
  useEffect(() => {
    const all = box.current?.querySelectorAll("pre.now") ?? [];
    for (const old of all) old.classList.remove("now");
    if (block === undefined || playing === undefined) return;
    const blocks = blocksAfter(box.current, playing);
    const now = blocks[block];
    now?.classList.add("now");
    show(now, 120);
  }, [block, playing]);
  return (
    <div class="lesson" ref={box}>
      {pattern?.unseen ? <p class="unseen">{pattern.unseen}</p> : null}
      <Html html={html.value} onShown={onShown} />
    </div>
  );
}

/** A link to another lesson stays on the page; one to the world opens beside it. */
function follow(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const href = link?.getAttribute("href") ?? "";
  if (!link) return;
  const other = /^(?:\.\.)?\/([\w-]+)\/?(?:#(.*))?$/.exec(href);
  if (other) {
    event.preventDefault();
    go({ pattern: other[1] ?? "", anchor: other[2] ?? "" });
  } else if (href.startsWith("#")) {
    event.preventDefault();
    go({ pattern: route.peek().pattern, anchor: href.slice(1) });
  } else if (!/^https?:/.test(href)) {
    event.preventDefault();
    store.panel.value = "source";
  } else Object.assign(link, { target: "_blank", rel: "noreferrer" });
}

/** Scrolls the lesson, and nothing but the lesson: on a narrow screen it stands below the picture that is looked at. */
function scrollTo(box: HTMLElement | null, anchor: string): void {
  if (anchor) show(box?.querySelector(`#${CSS.escape(anchor)}`), 0);
}

/** @param above How much of what stands before it stays in sight, in pixels. */
function show(element: Element | null | undefined, above: number): void {
  const panel = element?.closest(".panel");
  if (!element || !panel) return;
  panel.scrollTop += element.getBoundingClientRect().top - panel.getBoundingClientRect().top - above;
}

/** The terminals of a scenario, as the lesson shows them. */
function blocksAfter(box: HTMLElement | null, anchor: string): HTMLElement[] {
  const heading = box?.querySelector(`#${CSS.escape(anchor)}`);
  const blocks: HTMLElement[] = [];
  for (let next = heading?.nextElementSibling; next && next.tagName !== "H2"; next = next.nextElementSibling)
    if (next instanceof HTMLElement && next.tagName === "PRE" && next.textContent?.startsWith("$ "))
      blocks.push(next);
  return blocks;
}
