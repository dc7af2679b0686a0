import type { Action, Answers, Refusal, Sent } from "../src/protocol.ts";

type AnswerTo<Done extends Action["do"]> = Done extends keyof Answers ? Answers[Done] : Record<string, never>;

/**
 * Does something on the server.
 *
 * @throws An `Error` whose message is a sentence for the learner.
 */
export async function act<A extends Action>(action: A): Promise<AnswerTo<A["do"]>> {
  const response = await fetch("/act", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(action),
  }).catch(() => undefined);
  if (!response) throw new Error("The server doesn't answer. Is `pnpm live` still running?");
  if (response.ok) return response.json();
  const refusal: Refusal = await response
    .json()
    .catch(() => ({ error: `The server answers ${response.status}.` }));
  throw new Error(refusal.error);
}

export async function get<Body>(path: string, read: (response: Response) => Promise<Body>): Promise<Body> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} is answered with ${response.status}.`);
  return read(response);
}

/** ms without an event after which what comes is taken for new. */
const QUIET = 150;

/**
 * Listens to what happens, from the moment when the pattern was opened.
 *
 * @param on Hears each event. `past`: it happened before the page was opened.
 * @param onState Whether the server is there.
 * @param onPresent From now on nothing is past any more.
 * @returns What ends it.
 */
export function listen(
  on: (event: Sent, past: boolean) => void,
  onState: (connected: boolean) => void,
  onPresent: () => void,
): () => void {
  const source = new EventSource("/events");
  let past = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const settle = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      past = false;
      onPresent();
    }, QUIET);
  };
  source.onopen = () => {
    onState(true);
    if (past) settle();
  };
  source.onerror = () => onState(false);
  source.onmessage = ({ data }) => {
    on(JSON.parse(data), past);
    if (past) settle();
  };
  return () => source.close();
}
