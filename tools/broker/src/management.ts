/**
 * A request to RabbitMQ's management API.
 *
 * @param method `GET`, `PUT`, `POST` or `DELETE`.
 * @param path What follows `/api`, its parts already encoded: `/queues/%2F/hello`.
 * @param body Sent as JSON.
 * @returns The answer's JSON, or `undefined` where the answer is empty.
 * @throws {ManagementError} When nobody answers, or the answer is no success.
 */
export type Management = <T = unknown>(method: string, path: string, body?: unknown) => Promise<T>;

/** A request to the management API that failed. Its message has method, path, status and reason. */
export class ManagementError extends Error {
  override readonly name = "ManagementError";
  /** The HTTP status, or `undefined` when nobody answered. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/**
 * Speaks to the management API at a URL.
 *
 * @param url `http://user:password@host:15672`, without `/api`. The password never shows in an error.
 * @param timeout How long one request may take, in ms.
 */
export function managementApi(url: string, timeout = 30_000): Management {
  const { username, password, origin, pathname } = new URL(url);
  const base = `${origin}${pathname.replace(/\/$/, "")}/api`;
  const login = `${decodeURIComponent(username) || "guest"}:${decodeURIComponent(password) || "guest"}`;
  const headers = {
    authorization: `Basic ${Buffer.from(login).toString("base64")}`,
    "content-type": "application/json",
    // RabbitMQ closes a connection that was idle for a while. A request that is sent at that moment would fail.
    connection: "close",
  };

  return async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const request = `${method} ${base}${path}`;
    let response: Response;
    let text: string;
    try {
      const signal = AbortSignal.timeout(timeout);
      response = await fetch(base + path, {
        method,
        headers,
        signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await response.text();
    } catch (error) {
      // fetch says "fetch failed" and hides why in the cause.
      const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
      throw new ManagementError(`${request}: ${cause?.code ?? cause?.message ?? message}`, undefined, {
        cause: error,
      });
    }
    if (!response.ok)
      throw new ManagementError(`${request}: ${response.status} ${reason(text)}`, response.status);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
}

/** RabbitMQ answers a refused request with `{"error": "bad_request", "reason": "…"}`, a proxy with anything. */
function reason(text: string): string {
  try {
    const { error, reason } = JSON.parse(text) as { error?: string; reason?: string };
    return [error, reason].filter(Boolean).join(", ");
  } catch {
    return text.slice(0, 200);
  }
}
