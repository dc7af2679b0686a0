import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ByHand, Preview, Value } from "../../src/protocol.ts";
import { act } from "../connection.ts";
import { attempt } from "../player.ts";
import { readerOf, store } from "../store.ts";
import { exchangeName, nameOfQueue } from "../words.ts";

/** Publishes a message by hand, and says before where it will go. */
export function Publish() {
  const exchange = useSignal<string | undefined>(undefined);
  const key = useSignal("");
  const headers = useSignal("");
  const { exchanges, bindings } = store.topology.value;
  const names = exchanges
    .map(({ name }) => name)
    .filter((name) => !name.startsWith("amq.") || bindings.some((binding) => binding.exchange === name));
  const chosen = exchange.value ?? names.find((name) => name !== "") ?? "";
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void attempt({ do: "publish", ...read(new FormData(event.currentTarget)) });
      }}
    >
      <h2>Publish by hand</h2>
      <label>
        Exchange
        <select
          name="exchange"
          value={chosen}
          onChange={({ currentTarget }) => {
            exchange.value = currentTarget.value;
          }}
        >
          {(names.includes("") ? names : ["", ...names]).map((name) => (
            <option key={name} value={name}>
              {exchangeName(name)}
            </option>
          ))}
        </select>
      </label>
      <label>
        Routing key
        <input
          name="key"
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => {
            key.value = currentTarget.value;
          }}
        />
      </label>
      <label>
        Body
        <input name="body" autocomplete="off" defaultValue="Hello" />
      </label>
      <label>
        Headers, one a line
        <textarea
          name="headers"
          rows={2}
          spellcheck={false}
          placeholder="format: pdf"
          onInput={({ currentTarget }) => {
            headers.value = currentTarget.value;
          }}
        />
      </label>
      <details>
        <summary>Properties</summary>
        {properties.map(({ name, label, type }) => (
          <label key={name}>
            {label}
            <input name={name} inputMode={type === "number" ? "numeric" : "text"} autocomplete="off" />
          </label>
        ))}
        <label class="check">
          <input name="persistent" type="checkbox" /> Persistent: survives a restart in a durable queue
        </label>
      </details>
      <label class="check">
        <input name="mandatory" type="checkbox" /> Mandatory: comes back if no queue takes it
      </label>
      <Route exchange={chosen} routingKey={key.value} headers={headers.value} />
      <button type="submit" class="main">
        Publish
      </button>
    </form>
  );
}

const properties = [
  { name: "contentType", label: "Content type", type: "text" },
  { name: "correlationId", label: "Correlation id", type: "text" },
  { name: "replyTo", label: "Reply to", type: "text" },
  { name: "messageId", label: "Message id", type: "text" },
  { name: "type", label: "Type", type: "text" },
  { name: "expiration", label: "Expires after, in ms", type: "number" },
  { name: "priority", label: "Priority", type: "number" },
] as const;

/** Where the message would go, as the bindings are now. */
function Route({ exchange, routingKey, headers }: { exchange: string; routingKey: string; headers: string }) {
  const preview = useSignal<Preview | undefined>(undefined);
  const topology = store.topology.value;
  const ready = store.ready.value;
  useEffect(() => {
    if (!ready) return;
    let current = true;
    const asking = setTimeout(() => {
      act({ do: "preview", exchange, key: routingKey, headers: readHeaders(headers) }).then(
        (answer) => {
          if (current) preview.value = answer;
        },
        () => {
          if (current) preview.value = undefined;
        },
      );
    }, 150);
    return () => {
      current = false;
      clearTimeout(asking);
    };
  }, [exchange, routingKey, headers, topology, ready]);
  const queues = preview.value?.queues;
  return (
    <p class="preview" aria-live="polite">
      {queues === undefined
        ? "Where it would go isn't known yet."
        : queues.length === 0
          ? "✕ No binding matches: it would be dropped, or returned if it is mandatory."
          : `✓ It would go to ${queues.map((queue) => nameOfQueue(queue, readerOf(queue))).join(", ")}.`}
    </p>
  );
}

function read(form: FormData): ByHand {
  const text = (name: string) => String(form.get(name) ?? "");
  const given = properties.filter(({ name }) => text(name) !== "");
  return {
    exchange: text("exchange"),
    key: text("key"),
    body: text("body"),
    headers: readHeaders(text("headers")),
    properties: {
      ...Object.fromEntries(
        given.map(({ name, type }) => [name, type === "number" ? Number(text(name)) : text(name)]),
      ),
      ...(form.has("persistent") ? { persistent: true } : {}),
    },
    mandatory: form.has("mandatory"),
  };
}

/** `format: pdf`, one a line. Numbers, true and false are taken for such; quotes make a text of them. */
function readHeaders(text: string): Record<string, Value> {
  const headers: Record<string, Value> = {};
  for (const line of text.split("\n")) {
    const [, name, value] = /^\s*([^:]+?)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    headers[name] = /^(?:true|false|-?\d+(?:\.\d+)?|".*")$/.test(value)
      ? (JSON.parse(value) as Value)
      : value;
  }
  return headers;
}
