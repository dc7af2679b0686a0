export interface StartOptions {
  /** Only this way. By default what the variable BROKER says, else every way in turn. */
  kind?: "docker" | "native" | undefined;
  /** A node of one's own, which can be killed: never the one at AMQP_URL. */
  private?: boolean | undefined;
  /** Whether it speaks MQTT, too, by RabbitMQ's own plugin: `mqttUrl`. Not the one at AMQP_URL. */
  mqtt?: boolean | undefined;
  /** Whether it speaks AMQP over TLS, too, and with which certificate: `amqpsUrl`. Not the one at AMQP_URL. */
  tls?: Tls | undefined;
  /** The port for AMQP on 127.0.0.1. By default a free one. */
  port?: number | undefined;
  /** The port of the management API and page on 127.0.0.1. By default a free one. */
  managementPort?: number | undefined;
  /** Hears, a line at a time, what is tried, why it fails, and what takes a while. */
  say?: ((line: string) => void) | undefined;
  /** Gives up: what has been started is ended, and the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * What a broker needs for TLS, as the text of PEM files. Its clients may show a certificate of the same authority, and
 * then log in without a password, as the user whose name is the certificate's common name (mechanism EXTERNAL).
 */
export interface Tls {
  /** The certificate of the authority that has signed those of the clients. */
  ca: string;
  /** The broker's own. */
  certificate: string;
  key: string;
  /** The port on 127.0.0.1. By default a free one. */
  port?: number | undefined;
}

/** What makes a node one of a cluster's. The first one starts alone; the others join it on their first start. */
export interface Member {
  /** 1 for the first. */
  number: number;
  /** A name for all that belongs to the cluster: Docker's network, the nodes' folders. */
  cluster: string;
  /** What the nodes know each other by, in Docker. On this machine, they share the first one's home with its cookie. */
  cookie: string;
  /** Where the first node's epmd listens on 127.0.0.1. Not used in Docker. */
  epmdPort: number;
}

/** What starts one node. */
export interface NodeOptions extends StartOptions {
  member?: Member | undefined;
}
