import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Description, ObjectName } from "../../src/protocol.ts";
import { act } from "../connection.ts";
import { go } from "../route.ts";
import { store } from "../store.ts";
import { visible } from "../text.ts";

/** What is known of the object that the learner has clicked. */
export function ObjectPanel({ object }: { object: ObjectName }) {
  const found = useSignal<Description | undefined>(undefined);
  const trouble = useSignal("");
  const name = JSON.stringify(object);
  // It changes with what happens.
  const events = store.log.value.length;
  useEffect(() => {
    let current = true;
    const asking = setTimeout(() => {
      act({ do: "describe", object: JSON.parse(name) as ObjectName }).then(
        (description) => {
          if (!current) return;
          found.value = description;
          trouble.value = "";
        },
        (error: Error) => {
          if (current) trouble.value = error.message;
        },
      );
    }, 150);
    return () => {
      current = false;
      clearTimeout(asking);
    };
  }, [name, events, found, trouble]);
  const description = found.value;
  return (
    <div class="object">
      {trouble.value ? <p class="trouble">{trouble.value}</p> : null}
      {description ? <About description={description} /> : null}
    </div>
  );
}

function About({
  description: { title, text, facts, messages, command, anchor },
}: {
  description: Description;
}) {
  return (
    <>
      <h2>{visible(title)}</h2>
      <p>{text}</p>
      <dl>
        {facts.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{visible(value)}</dd>
          </div>
        ))}
      </dl>
      {messages.length > 0 ? (
        <>
          <h3>Messages, the next one out first</h3>
          <ol>
            {messages.map(({ message, holder }) => (
              <li key={message.id}>
                <code>{visible(message.key)}</code> {visible(message.body)}
                {holder ? (
                  <span class="quiet"> unacknowledged, with {store.programs.name(holder)}</span>
                ) : null}
              </li>
            ))}
          </ol>
        </>
      ) : null}
      {command ? (
        <>
          <h3>See it in a terminal</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: What scrolls must be reachable without a mouse. */}
          <pre tabIndex={0}>{command}</pre>
        </>
      ) : null}
      {anchor ? (
        <p>
          <button
            type="button"
            onClick={() => {
              go({ pattern: store.pattern.value, anchor });
              store.panel.value = "lesson";
            }}
          >
            Where the lesson explains it
          </button>
        </p>
      ) : null}
    </>
  );
}
