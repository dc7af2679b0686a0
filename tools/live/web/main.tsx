import { render } from "preact";
import { CatalogueView } from "./catalogue.tsx";
import { get } from "./connection.ts";
import { Controls } from "./controls.tsx";
import { Lab } from "./lab.tsx";
import { follow, go, pictureOnly, route } from "./route.ts";
import { store } from "./store.ts";

function App() {
  const { pattern } = route.value;
  return (
    <>
      {pictureOnly ? null : <Header />}
      {pattern === "" ? <CatalogueView /> : <Lab />}
    </>
  );
}

function Header() {
  const { pattern } = route.value;
  const catalogue = store.catalogue.value;
  return (
    <header class="top">
      <a href="/" onClick={(event) => follow(event, { pattern: "" })}>
        RabbitMQ patterns, live
      </a>
      {pattern === "" ? null : (
        <select
          aria-label="Pattern"
          value={pattern}
          onChange={({ currentTarget }) => go({ pattern: currentTarget.value })}
        >
          {catalogue?.groups.map(({ name, patterns }) => (
            <optgroup key={name} label={name}>
              {patterns.map(({ name: each }) => (
                <option key={each}>{each}</option>
              ))}
            </optgroup>
          ))}
        </select>
      )}
      {pattern === "" ? null : <Controls />}
      <span class="quiet broker">{catalogue?.broker}</span>
    </header>
  );
}

document.documentElement.classList.toggle("picture-only", pictureOnly);
store.catalogue.value = await get("/catalogue", (response) => response.json());
const root = document.getElementById("app");
if (root) render(<App />, root);
