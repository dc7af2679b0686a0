import { follow } from "./route.ts";
import { store } from "./store.ts";

/** All patterns, by what they are for. */
export function CatalogueView() {
  const catalogue = store.catalogue.value;
  return (
    <main class="catalogue">
      <h1>RabbitMQ patterns, live</h1>
      <p class="lead">
        Each pattern plays on a real broker{catalogue ? ` (${catalogue.broker})` : ""}. See every message
        move, step through it, and break it.
      </p>
      {catalogue?.groups.map(({ name, patterns }) => (
        <section key={name}>
          <h2>{name}</h2>
          <ul>
            {patterns.map((pattern) => (
              <li key={pattern.name}>
                <a href={`/${pattern.name}`} onClick={(event) => follow(event, { pattern: pattern.name })}>
                  <strong>{pattern.name}</strong>
                  <span>{pattern.summary}</span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </main>
  );
}
