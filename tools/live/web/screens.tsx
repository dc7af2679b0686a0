import type { Action } from "../src/protocol.ts";
import { attempt } from "./player.ts";
import { type Screen, store } from "./store.ts";
import { visible } from "./text.ts";

/** The terminals, in the order in which they were opened. */
export function Screens() {
  return (
    <section class="screens" aria-label="Terminals">
      {store.screens.value.map((screen) => (
        <ScreenView key={screen.key} screen={screen} name={store.programs.name(screen.terminal.id)} />
      ))}
    </section>
  );
}

/** @param name Its program's, which changes when another one that looks like it begins. */
function ScreenView({ screen, name }: { screen: Screen; name: string }) {
  const { terminal, running } = screen;
  const { id } = terminal;
  const isPaused = store.topology.value.consumers.some(
    (consumer) => consumer.terminal === id && consumer.paused,
  );
  const reads =
    running && (terminal.block === undefined || screen.lines.some(({ kind }) => kind === "typed"));
  const consumes = store.topology.value.consumers.some((consumer) => consumer.terminal === id);
  return (
    <section class={running ? "screen" : "screen ended"} aria-label={`Terminal: ${name}`}>
      <header>
        <h2 title={terminal.command}>
          {visible(name)}
          {running ? null : <span class="how"> {screen.how === "exit code 0" ? "ended" : screen.how}</span>}
        </h2>
        {running ? (
          <span class="actions">
            <Act
              words="^C"
              title={`Press Ctrl-C in ${name}`}
              action={{ do: "press", terminal: id, key: "^C" }}
            />
            <Act words="Kill" title={`Kill ${name}, as kill -9 does`} action={{ do: "kill", terminal: id }} />
            <Act
              words="Cut"
              title={`Cut ${name}'s connection, as a network would`}
              action={{ do: "cut", terminal: id }}
            />
            {consumes ? (
              <Act
                words={isPaused ? "Resume" : "Pause"}
                title={isPaused ? `Resume deliveries to ${name}` : `Pause deliveries to ${name}`}
                action={{ do: "pause", terminal: id, paused: !isPaused }}
              />
            ) : null}
          </span>
        ) : null}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: What scrolls must be reachable without a mouse. */}
      <pre tabIndex={0} ref={(element) => element?.scrollTo(0, element.scrollHeight)}>
        {screen.lines.map(({ id, kind, text }) => (
          <span key={id} class={kind}>
            {kind === "typed" ? `> ${visible(text)}` : visible(text)}
            {"\n"}
          </span>
        ))}
      </pre>
      {reads ? <Typing terminal={id} name={name} /> : null}
    </section>
  );
}

function Act({ words, title, action }: { words: string; title: string; action: Action }) {
  return (
    <button type="button" title={title} aria-label={title} onClick={() => void attempt(action)}>
      {words}
    </button>
  );
}

function Typing({ terminal, name }: { terminal: string; name: string }) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const input = event.currentTarget.elements.namedItem("text");
        if (!(input instanceof HTMLInputElement)) return;
        void attempt({ do: "type", terminal, text: input.value });
        input.value = "";
      }}
    >
      <input
        name="text"
        aria-label={`Type into ${name}`}
        placeholder="Type a line, then Enter"
        autocomplete="off"
      />
    </form>
  );
}
