/** The exchange that the publisher writes to and the subscriber reads from. */
export const exchange = "alerts";

/**
 * What each user may do: regular expressions for the names of the exchanges and queues that it may configure (declare
 * and delete), write to and read from. To bind a queue, a user must be allowed to write to the queue and to read from
 * the exchange.
 */
export const permissions = {
  publisher: { configure: "^$", write: `^${exchange}$`, read: "^$" },
  subscriber: { configure: "^amq\\.gen-", write: "^amq\\.gen-", read: `^(${exchange}$|amq\\.gen-)` },
};

/** The same for routing keys. Without it, a user that may write to a topic exchange may use every routing key. */
export const topicPermissions = {
  publisher: { exchange, write: "^disk\\.", read: "^$" },
  subscriber: { exchange, write: "^$", read: ".*" },
};

export type Role = keyof typeof permissions;
