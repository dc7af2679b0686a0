import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { SourceFile } from "../../src/protocol.ts";
import { get } from "../connection.ts";
import { Html } from "../html.tsx";
import { store } from "../store.ts";

/** The scripts of the pattern. */
export function Source() {
  const files = useSignal<SourceFile[]>([]);
  const name = store.pattern.value;
  useEffect(() => {
    if (name)
      void get(`/source/${name}`, (response) => response.json()).then((found: SourceFile[]) => {
        files.value = found;
      });
  }, [name, files]);
  return (
    <div class="source">
      {files.value.map(({ file, html }) => (
        <details key={file} open>
          <summary>{file}</summary>
          <Html html={html} />
        </details>
      ))}
    </div>
  );
}
