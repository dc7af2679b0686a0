import { effect, signal } from "@preact/signals";
import type { Action, Sent } from "../src/protocol.ts";
import { act, listen } from "./connection.ts";
import { Director } from "./picture/director.ts";
import { Picture } from "./picture/picture.ts";
import { go, route } from "./route.ts";
import { apply, store } from "./store.ts";

/** Whether the next terminal opens by itself, as soon as the picture has caught up. */
export const auto = signal(false);
/** Whether all movement stands still. */
export const paused = signal(false);

/** Does something on the server, and says on the page if it can't be done. */
export async function attempt(action: Action): Promise<boolean> {
  try {
    await act(action);
    store.trouble.value = "";
    return true;
  } catch (error) {
    store.trouble.value = error instanceof Error ? error.message : String(error);
    return false;
  }
}

/** Plays a scenario, or goes on with the one that waits. */
export function play(scenario: number): void {
  paused.value = false;
  auto.value = true;
  const turn = store.turn.value;
  if (turn && !turn.ends && store.scenario.value === scenario) void attempt({ do: "next", turn: turn.turn });
  else void attempt({ do: "play", scenario });
}

/** Opens the next terminal, and no other; begins the scenario if it isn't played yet. */
export function step(scenario: number): void {
  paused.value = false;
  auto.value = false;
  const turn = store.turn.value;
  if (turn && store.scenario.value === scenario) void attempt({ do: "next", turn: turn.turn });
  else if (!store.playing.value || store.scenario.value !== scenario) void attempt({ do: "play", scenario });
}

/**
 * Shows in an SVG what the server sends.
 *
 * @returns What ends it.
 */
export function perform(element: SVGSVGElement): () => void {
  const picture = new Picture(element, store, (object) => {
    store.selected.value = object;
  });
  const past = new WeakSet<Sent>();
  /** How many events that overtake are still to be shown: until then, nothing is moved. */
  let overtaking = 0;
  const director = new Director(
    async (event) => {
      if (overtakes(event)) overtaking--;
      picture.motion.instant = overtaking > 0 || past.has(event);
      for (const key of apply(event)) picture.remove(key);
      await picture.show(event);
    },
    () => {
      settle();
      const turn = store.turn.value;
      // The broker waits for the picture, so that both tell the same.
      if (auto.value && turn && !turn.ends) void attempt({ do: "next", turn: turn.turn });
    },
  );
  let present = false;
  /** Tells programs that read the screen, and tests, whether the picture still moves. */
  const settle = () => element.setAttribute("aria-busy", String(!present || director.pending > 0));
  settle();
  picture.motion.backlog = () => director.pending;
  const hear = (event: Sent, isPast: boolean) => {
    if (isPast) past.add(event);
    // Another page has opened another pattern: there is one broker, and so one pattern for all of them.
    if (event.type === "pattern" && store.ready.value && event.name !== route.value.pattern)
      go({ pattern: event.name }, true);
    if (overtakes(event)) {
      overtaking++;
      picture.motion.skip();
    }
    director.hear(event);
    settle();
  };
  const ends = [
    listen(
      hear,
      (connected) => {
        store.connected.value = connected;
      },
      () => {
        present = true;
        settle();
      },
    ),
    effect(() => {
      picture.motion.speed = store.speed.value;
    }),
    effect(() => {
      picture.motion.paused = paused.value;
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Whether an event makes what came before it too old to be watched: a new beginning, or more than can be drawn. */
const overtakes = ({ type }: Sent) => type === "pattern" || type === "scenario" || type === "totals";
