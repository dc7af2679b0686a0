import { useEffect, useRef } from "preact/hooks";

/**
 * Shows HTML that the server has made from the repository's own files. What a broker or a program says never comes
 * this way.
 *
 * @param onShown Runs when it is there, to add to it.
 */
export function Html({ html, onShown }: { html: string; onShown?: (element: HTMLElement) => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    element.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    onShown?.(element);
  }, [html, onShown]);
  return <div ref={box} />;
}
