import { attempt } from "../player.ts";
import { openPattern, store } from "../store.ts";
import { splitWords } from "../words-of-command.ts";
import { Publish } from "./publish.tsx";

/** What the learner can do: run a script, publish a message, restart the broker. */
export function Try() {
  return (
    <div class="try">
      <Run />
      <Publish />
      {store.invitation.value ? (
        <>
          <h2>Connect a program of your own</h2>
          <p>What it says to the broker shows in the picture, if it connects here:</p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: What scrolls must be reachable without a mouse. */}
          <pre tabIndex={0}>AMQP_URL={store.invitation.value}</pre>
        </>
      ) : null}
      <h2>More to do</h2>
      <p>
        Each terminal below the picture has its buttons: Ctrl-C, kill the program, cut its connection, hold
        back what is delivered to it. Click an exchange, a queue, a key, a message or a program to see what it
        is.
      </p>
      <p class="row">
        <button
          type="button"
          title="Ends all programs, and deletes every exchange, queue and message of this page"
          onClick={() => void attempt({ do: "open", pattern: store.pattern.value, anew: true })}
        >
          Begin anew
        </button>
        {store.catalogue.value?.canRestart ? (
          <button
            type="button"
            disabled={store.restarting.value}
            onClick={() => void attempt({ do: "restart" })}
          >
            {store.restarting.value ? "The broker restarts…" : "Restart the broker"}
          </button>
        ) : null}
      </p>
    </div>
  );
}

function Run() {
  const scripts = openPattern.value?.scripts ?? [];
  if (scripts.length === 0) return null;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget);
        void attempt({
          do: "run",
          script: String(data.get("script")),
          words: splitWords(String(data.get("words"))),
        });
      }}
    >
      <h2>Run a script</h2>
      <label>
        Script
        <select name="script">
          {scripts.map((script) => (
            <option key={script}>{script}</option>
          ))}
        </select>
      </label>
      <label>
        Arguments
        <input
          name="words"
          autocomplete="off"
          spellcheck={false}
          placeholder={'as in a shell: "kern.*" "two words"'}
        />
      </label>
      <button type="submit" class="main">
        Run
      </button>
    </form>
  );
}
