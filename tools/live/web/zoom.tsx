import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { onShortcut } from "./shortcuts.ts";

const STEP = 1.25;
const LEAST = 0.3;
const MOST = 4;

/** Makes the picture larger or smaller than its place, in which it then scrolls. */
export function Zoom({ picture }: { picture: RefObject<SVGSVGElement | null> }) {
  const factor = useSignal(1);
  const zoom = (wanted: (now: number, svg: SVGSVGElement, place: Element) => number) => {
    const svg = picture.current;
    const place = svg?.parentElement;
    if (!svg || !place) return;
    const before = factor.value;
    factor.value = Math.min(MOST, Math.max(LEAST, wanted(before, svg, place)));
    const grown = factor.value / before;
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = place;
    svg.style.setProperty("--zoom", String(factor.value));
    // What stands in the middle stays there.
    place.scrollTo(
      (scrollLeft + clientWidth / 2) * grown - clientWidth / 2,
      (scrollTop + clientHeight / 2) * grown - clientHeight / 2,
    );
  };
  const larger = () => zoom((now) => now * STEP);
  const smaller = () => zoom((now) => now / STEP);
  const fit = () =>
    zoom((now, svg, { clientWidth, clientHeight }) => {
      const { width, height } = svg.getBoundingClientRect();
      return Math.min(1, (now * clientWidth) / width, (now * clientHeight) / height);
    });
  useEffect(() => onShortcut({ "+": larger, "=": larger, "-": smaller, "0": fit }), []);
  return (
    // biome-ignore lint/a11y/useSemanticElements: A fieldset is for what is filled in.
    <div class="zoom" role="group" aria-label="Zoom">
      <button type="button" aria-label="Smaller" title="Smaller (−)" aria-keyshortcuts="-" onClick={smaller}>
        −
      </button>
      <button type="button" title="The whole picture (0)" aria-keyshortcuts="0" onClick={fit}>
        Fit
      </button>
      <button type="button" aria-label="Larger" title="Larger (+)" aria-keyshortcuts="+" onClick={larger}>
        +
      </button>
    </div>
  );
}
