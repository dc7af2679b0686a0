/** Where a connection, a publisher or a consumer reports what happens to it. `console` fits, and so does a pino logger. */
export interface Log {
  /** Something is well again: the connection stands again. */
  info(message: string): void;
  /** Something is wrong and will be tried again: the connection is lost, a handler has failed. */
  warn(message: string): void;
  /** Something needs a person: a message ended the connection, the broker refuses a login that it took before. */
  error(message: string): void;
}

/** Reports nothing. */
export const silent: Log = { info() {}, warn() {}, error() {} };
