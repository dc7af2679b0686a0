/**
 * Does something when a key is pressed, unless something is being typed.
 *
 * @param shortcuts What to do, by the key.
 * @returns What ends it.
 */
export function onShortcut(shortcuts: Record<string, () => void>): () => void {
  const onKey = ({ key, target, ctrlKey, metaKey, altKey }: KeyboardEvent) => {
    const isTyping = target instanceof Element && target.closest("input, textarea, select") !== null;
    if (isTyping || ctrlKey || metaKey || altKey || !Object.hasOwn(shortcuts, key)) return;
    shortcuts[key]?.();
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}
