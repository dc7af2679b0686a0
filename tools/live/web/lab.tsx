import { useEffect, useRef } from "preact/hooks";
import { Lesson } from "./panels/lesson.tsx";
import { Log } from "./panels/log.tsx";
import { ObjectPanel } from "./panels/object.tsx";
import { Source } from "./panels/source.tsx";
import { Try } from "./panels/try.tsx";
import { attempt, perform } from "./player.ts";
import { pictureOnly, route } from "./route.ts";
import { Screens } from "./screens.tsx";
import { openPattern, type PanelName, store } from "./store.ts";
import { Zoom } from "./zoom.tsx";

const panels: { name: PanelName; title: string }[] = [
  { name: "lesson", title: "Lesson" },
  { name: "source", title: "Source" },
  { name: "try", title: "Try it" },
  { name: "log", title: "Log" },
  { name: "object", title: "Selected" },
];

/** One pattern: its lesson beside the picture of what happens on the broker. */
export function Lab() {
  const picture = useRef<SVGSVGElement>(null);
  const { pattern } = route.value;
  useEffect(() => (picture.current ? perform(picture.current) : undefined), []);
  useEffect(() => {
    store.ready.value = false;
    void attempt({ do: "open", pattern }).then((opened) => {
      store.ready.value = opened;
    });
  }, [pattern]);
  const selected = store.selected.value;
  useEffect(() => {
    if (selected) store.panel.value = "object";
    else if (store.panel.peek() === "object") store.panel.value = "lesson";
  }, [selected]);
  return (
    <div class="lab">
      {pictureOnly ? null : <Panels />}
      <main class="stage">
        <h1 class="hidden">{pattern}, live</h1>
        <p class="narration">{store.narration.value || "\u00a0"}</p>
        <div class="picture">
          {/* biome-ignore lint/a11y/useSemanticElements: SVG has no other element for a group with a name. */}
          <svg ref={picture} role="group" aria-label="The broker: publishers, exchanges, queues, consumers" />
        </div>
        <div class="caption">
          <p class="sentence" aria-live="polite">
            {store.sentence.value || "\u00a0"}
          </p>
          {pictureOnly ? null : <Zoom picture={picture} />}
        </div>
        {store.trouble.value ? (
          <p class="trouble" role="alert">
            {store.trouble.value}
          </p>
        ) : null}
        {store.difference.value.length > 0 ? (
          <pre class="difference">{store.difference.value.join("\n")}</pre>
        ) : null}
        {store.connected.value || pictureOnly ? null : (
          <p class="trouble" role="alert">
            The server doesn't answer. This page goes on when it does.
          </p>
        )}
        {pictureOnly ? null : <Screens />}
      </main>
    </div>
  );
}

function Panels() {
  const shown = store.panel.value;
  const available = panels.filter(({ name }) => {
    if (name === "object") return store.selected.value !== undefined;
    // Of what others do there is no source.
    return name !== "source" || openPattern.value?.scripts.length !== 0;
  });
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const index = available.findIndex(({ name }) => name === shown);
    const next = available[(index + step + available.length) % available.length];
    if (!next) return;
    store.panel.value = next.name;
    document.getElementById(`tab-${next.name}`)?.focus();
  };
  return (
    <aside class="panels" aria-label="Lesson and tools">
      <div role="tablist" aria-label="Panels" onKeyDown={move}>
        {available.map(({ name, title }) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={name === shown}
            aria-controls="panel"
            tabIndex={name === shown ? 0 : -1}
            onClick={() => {
              store.panel.value = name;
            }}
          >
            {title}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: What scrolls must be reachable without a mouse. */}
      <div class="panel" id="panel" role="tabpanel" aria-labelledby={`tab-${shown}`} tabIndex={0}>
        <Shown name={shown} />
      </div>
    </aside>
  );
}

function Shown({ name }: { name: PanelName }) {
  switch (name) {
    case "lesson":
      return <Lesson />;
    case "source":
      return <Source />;
    case "try":
      return <Try />;
    case "log":
      return <Log />;
    case "object":
      return store.selected.value ? <ObjectPanel object={store.selected.value} /> : null;
  }
}
