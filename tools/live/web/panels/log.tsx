import { useSignal } from "@preact/signals";
import { store } from "../store.ts";

/** All that has happened, in words that can be copied. */
export function Log() {
  const copied = useSignal(false);
  const entries = store.log.value;
  const first = entries[0]?.at ?? 0;
  const seconds = (at: number) => ((at - first) / 1000).toFixed(3);
  const copy = async () => {
    await navigator.clipboard.writeText(
      entries.map(({ at, text }) => `${seconds(at)} s  ${text}\n`).join(""),
    );
    copied.value = true;
  };
  return (
    <div class="log">
      <p>
        <button type="button" onClick={() => void copy()} disabled={entries.length === 0}>
          {copied.value ? "✓ Copied" : "Copy all"}
        </button>
        <span class="quiet">
          Seconds since the first line. What is marked “inferred” the broker doesn't tell.
        </span>
      </p>
      <ol>
        {entries.slice(-300).map(({ id, at, text, inferred }) => (
          <li key={id} class={inferred ? "inferred" : ""}>
            <time>{seconds(at)}</time> {text}
          </li>
        ))}
      </ol>
    </div>
  );
}
