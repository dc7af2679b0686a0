import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { type Management, type ManagementError, managementApi } from "./management.ts";

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

/**
 * The lines of rabbitmq.conf that let a node join the first one. (All three with the same list of three take 20 s:
 * one waits in vain for a cluster to join, while the others wait for its lock.)
 *
 * @param member Which node it is.
 * @param nameOf The name of a node by its number.
 */
export const clusterFormation = ({ number }: Member, nameOf: (number: number) => string): string[] =>
  number === 1
    ? []
    : [
        "cluster_formation.peer_discovery_backend = classic_config",
        `cluster_formation.classic_config.nodes.1 = ${nameOf(1)}`,
        `cluster_formation.classic_config.nodes.2 = ${nameOf(number)}`,
      ];

/** A running RabbitMQ, however it came to run. */
export interface Place {
  /** What the cluster calls it, and the management API: "rabbit2@localhost". Unknown when it was found by AMQP_URL. */
  nodeName?: string;
  /** With user and password. */
  amqpUrl: string;
  /** With user and password. */
  managementUrl: string;
  /** With user and password, if `mqtt` was asked for. */
  mqttUrl?: string;
  /** Without user and password, if `tls` was asked for. The host is `localhost`. */
  amqpsUrl?: string;
  /** "3.10.8" */
  version: string;
  /** What the results of tests on it depend on, as `findBroker` says it. */
  identity: string;
  /** For people: "RabbitMQ 3.10.8, a private node on this machine". */
  description: string;
  /**
   * Resolves when the broker knows its queues after a power cut.
   *
   * For some 3.5 s it holds the name of a new quorum queue in memory only. If it dies within, the queue comes back
   * empty, whatever it had confirmed. (Ra registers the name in a DETS table with `auto_save` 500, ra_directory.erl,
   * and DETS delays its writes for 3 s. Seen with 3.10.8 and 4.3.6.)
   *
   * @throws When the broker was found by AMQP_URL, or doesn't run.
   */
  settle(): Promise<void>;
  /**
   * Raises a memory alarm, as if RabbitMQ had no memory left, or ends it. While it lasts the broker reads nothing from
   * connections that publish; consumers go on.
   *
   * @param on Whether there is to be one.
   * @throws When the broker was found by AMQP_URL, or doesn't run.
   */
  memoryAlarm(on: boolean): Promise<void>;
  /**
   * Ends the broker at once, as a power cut would. What was confirmed survives; see `settle` for new quorum queues.
   *
   * @throws When the broker was found by AMQP_URL: it is not ours to kill.
   */
  kill(): Promise<void>;
  /**
   * Starts the killed broker again, on the same data and the same ports.
   *
   * @returns When it answers.
   * @throws When it doesn't within two minutes, or was found by AMQP_URL.
   */
  start(): Promise<void>;
  /** Ends the broker and removes its data. Does nothing to one that was found by AMQP_URL. */
  stop(): Promise<void>;
}

/**
 * Lines of rabbitmq.conf that every broker of ours has: the management API's counts and connections lag by 2 s
 * instead of 5, and tests wait for them. It gathers every second what is emitted every second.
 */
export const statistics = [
  "collect_statistics_interval = 1000",
  ...["global", "basic", "detailed"].map((view) => `management.sample_retention_policies.${view}.minute = 1`),
].join("\n");

/**
 * The file `enabled_plugins`. The MQTT plugin takes 5 s to start on fresh data with 3.10, so only those who ask have it.
 *
 * @param options What is asked for.
 */
export const enabledPlugins = ({ mqtt, tls }: StartOptions): string =>
  `[${["rabbitmq_management", ...(mqtt ? ["rabbitmq_mqtt"] : []), ...(tls ? ["rabbitmq_auth_mechanism_ssl"] : [])].join()}].\n`;

/**
 * The lines of rabbitmq.conf for TLS, and the files that they name.
 *
 * @param tls What is asked for.
 * @param listener Where to listen.
 * @param folder Where the files will be.
 */
export function tlsConfiguration({ ca, certificate, key }: Tls, listener: string, folder: string) {
  const files = { "ca.pem": ca, "server.pem": certificate, "server-key.pem": key };
  const lines = [
    `listeners.ssl.1 = ${listener}`,
    `ssl_options.cacertfile = ${folder}/ca.pem`,
    `ssl_options.certfile = ${folder}/server.pem`,
    `ssl_options.keyfile = ${folder}/server-key.pem`,
    // A client may do without a certificate. Without verify_peer, any self-signed one would do as any user's.
    "ssl_options.verify = verify_peer",
    "ssl_options.fail_if_no_peer_cert = false",
    "auth_mechanisms.1 = PLAIN",
    "auth_mechanisms.2 = EXTERNAL",
    "ssl_cert_login_from = common_name",
  ];
  return { files, lines };
}

/** What `rabbitmqctl eval` is told by `settle`. */
export const syncTables = "[ok = dets:sync(Table) || Table <- dets:all()].";

/** What `rabbitmqctl eval` is told by `memoryAlarm`: the limit above which there is an alarm, by default the node's own. */
export const setMemoryLimit = (alarm: boolean): string =>
  alarm
    ? "vm_memory_monitor:set_vm_memory_high_watermark(0.0)."
    : "{ok, Limit} = application:get_env(rabbit, vm_memory_high_watermark), vm_memory_monitor:set_vm_memory_high_watermark(Limit).";

/** A running RabbitMQ and what tests ask of it. */
export interface Broker extends Place {
  /** A request to the management API. */
  management: Management;
  /**
   * Creates a virtual host.
   *
   * @param name By default a random one.
   * @throws {ManagementError}
   */
  createVirtualHost(name?: string): Promise<VirtualHost>;
  /**
   * Creates a user with a random name and password, who may do only what is said.
   *
   * @param permissions In which virtual host, and regular expressions for the names of the queues and exchanges
   *   that may be configured, written to and read from. An empty one allows nothing.
   * @throws {ManagementError}
   */
  createUser(permissions: Permissions): Promise<User>;
  /**
   * Cuts connections, as an operator would on the management page. The API knows of a connection up to 5 s after it
   * was opened, so this waits until there is one to cut, and may miss others: say whose is meant where there are more.
   *
   * @param vhost The virtual host whose connections are cut.
   * @param whose Found in their `connection_name`; all by default.
   * @returns How many were cut.
   * @throws When there is none within 30 s.
   */
  closeConnections(vhost: string, whose?: RegExp): Promise<number>;
}

export interface VirtualHost {
  name: string;
  /** With user, password and the encoded name. */
  amqpUrl: string;
  managementUrl: string;
  /** Deletes it with all that is in it. Connections to it are closed. */
  delete(): Promise<void>;
}

export interface Permissions {
  vhost: string;
  configure: string;
  write: string;
  read: string;
}

export interface User {
  name: string;
  password: string;
  /** Of the virtual host, with this user's name and password. */
  amqpUrl: string;
  delete(): Promise<void>;
}

/**
 * Adds the management API's part to a running RabbitMQ.
 *
 * @param place Where it runs.
 */
export function brokerAt(place: Place): Broker {
  const management = managementApi(place.managementUrl);

  return {
    ...place,
    management,

    async createVirtualHost(name = `vhost-${randomUUID().slice(0, 8)}`) {
      const path = `/vhosts/${encodeURIComponent(name)}`;
      await management("PUT", path);
      return {
        name,
        amqpUrl: urlOf(place.amqpUrl, { vhost: name }),
        managementUrl: place.managementUrl,
        delete: () => management("DELETE", path),
      };
    },

    async createUser({ vhost, ...permissions }) {
      const name = `user-${randomUUID().slice(0, 8)}`;
      const password = randomUUID();
      await management("PUT", `/users/${name}`, { password, tags: "" });
      await management("PUT", `/permissions/${encodeURIComponent(vhost)}/${name}`, permissions);
      return {
        name,
        password,
        amqpUrl: urlOf(place.amqpUrl, { vhost, name, password }),
        delete: () => management("DELETE", `/users/${name}`),
      };
    },

    async closeConnections(vhost, whose = /(?:)/) {
      // ms
      const deadline = AbortSignal.timeout(30_000);
      for (let cut = 0; ; ) {
        const path = `/vhosts/${encodeURIComponent(vhost)}/connections`;
        for (const { name, client_properties } of await management<Connection[]>("GET", path)) {
          if (!whose.test(client_properties?.connection_name ?? "")) continue;
          try {
            await management("DELETE", `/connections/${encodeURIComponent(name)}`);
            cut++;
          } catch (error) {
            // It is listed for a while after its end.
            if ((error as ManagementError).status !== 404) throw error;
          }
        }
        if (cut > 0) return cut;
        if (deadline.aborted) throw new Error(`no connection to the virtual host ${vhost} to close`);
        await setTimeout(100);
      }
    },
  };
}

interface Connection {
  name: string;
  client_properties?: { connection_name?: string };
}

function urlOf(
  broker: string,
  { vhost, name, password }: { vhost: string; name?: string; password?: string },
): string {
  const url = new URL(broker);
  url.pathname = `/${encodeURIComponent(vhost)}`;
  if (name !== undefined) url.username = name;
  if (password !== undefined) url.password = password;
  return url.href;
}
