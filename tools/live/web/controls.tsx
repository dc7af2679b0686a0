import { useEffect } from "preact/hooks";
import { attempt, auto, paused, play, step } from "./player.ts";
import { go, route } from "./route.ts";
import { onShortcut } from "./shortcuts.ts";
import { openPattern, store } from "./store.ts";

const speeds = [
  { factor: 0.5, name: "½×" },
  { factor: 1, name: "1×" },
  { factor: 2, name: "2×" },
  { factor: 20, name: "real time" },
];

/** @returns The scenario that the address names, the first one by default. */
export function chosenScenario(): number {
  const scenarios = openPattern.value?.scenarios ?? [];
  return Math.max(
    0,
    scenarios.findIndex(({ anchor }) => anchor === route.value.anchor),
  );
}

/** Which scenario, and how it plays. */
export function Controls() {
  const pattern = openPattern.value;
  const chosen = chosenScenario();
  const turn = store.turn.value;
  const going = store.playing.value && store.scenario.value === chosen;
  const held = store.held.value.length;
  useEffect(
    () =>
      onShortcut({
        p: playOrPause,
        n: () => step(chosenScenario()),
        m: () => {
          if (store.held.value.length > 0) void attempt({ do: "release" });
        },
      }),
    [],
  );
  const moving = going && auto.value && !paused.value && !turn?.ends;
  return (
    <fieldset class="controls" disabled={!store.ready.value || pattern?.name !== route.value.pattern}>
      <legend class="hidden">Play</legend>
      {pattern?.scenarios.length === 0 ? null : (
        <>
          <label>
            <span class="quiet">Scenario</span>
            <select
              aria-label="Scenario"
              value={chosen}
              onChange={({ currentTarget }) => {
                const scenario = pattern?.scenarios[Number(currentTarget.value)];
                if (pattern && scenario) go({ pattern: pattern.name, anchor: scenario.anchor });
              }}
            >
              {pattern?.scenarios.map(({ heading, anchor }, index) => (
                <option key={anchor} value={index}>
                  {heading}
                </option>
              ))}
            </select>
          </label>
          <button type="button" class="main" onClick={playOrPause} aria-keyshortcuts="p">
            {moving ? "❚❚ Pause" : going && !turn?.ends ? "▶ Go on" : "▶ Play"}
          </button>
          <button
            type="button"
            onClick={() => step(chosen)}
            disabled={going && !turn}
            title="Opens the next terminal of the lesson, and waits (n)"
            aria-keyshortcuts="n"
          >
            {going && turn?.ends ? "End ▸" : "Step ▸"}
          </button>
        </>
      )}
      <label class="check" title="The wire holds each publish, delivery and ack until you let it go">
        <input
          type="checkbox"
          checked={store.stepping.value}
          onChange={({ currentTarget }) => void attempt({ do: "stepping", messages: currentTarget.checked })}
        />
        Message by message
      </label>
      {store.stepping.value || held > 0 ? (
        <button
          type="button"
          class="hold"
          disabled={held === 0}
          title="Lets go of what the wire has held longest (m)"
          aria-keyshortcuts="m"
          onClick={() => void attempt({ do: "release" })}
        >
          Let go ▸ {store.held.value[0]?.text ?? "nothing held"}
        </button>
      ) : null}
      <label>
        <span class="quiet">Speed</span>
        <select
          aria-label="Speed"
          value={store.speed.value}
          onChange={({ currentTarget }) => void attempt({ do: "speed", factor: Number(currentTarget.value) })}
        >
          {speeds.map(({ factor, name }) => (
            <option key={factor} value={factor}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {store.playing.value ? (
        <button type="button" onClick={() => void attempt({ do: "stop" })}>
          ■ Stop
        </button>
      ) : null}
    </fieldset>
  );
}

function playOrPause(): void {
  const chosen = chosenScenario();
  const going = store.playing.value && store.scenario.value === chosen && !store.turn.value?.ends;
  if (going && auto.value && !paused.value) paused.value = true;
  else if (going && paused.value && !store.turn.value) {
    auto.value = true;
    paused.value = false;
  } else play(chosen);
}
