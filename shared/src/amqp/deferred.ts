/** A promise, and the functions that settle it. (Node 22 has `Promise.withResolvers`.) */
export interface Deferred<Value> {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (error: unknown) => void;
}

/** Makes one. Its rejection may stay unheard: it does not end the process. */
export function deferred<Value = void>(): Deferred<Value> {
  let settle: Omit<Deferred<Value>, "promise"> | undefined;
  const promise = new Promise<Value>((resolve, reject) => {
    settle = { resolve, reject };
  });
  promise.catch(() => {});
  return { promise, ...(settle as unknown as Omit<Deferred<Value>, "promise">) };
}
