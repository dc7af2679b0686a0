import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { type Management, type ManagementError, managementApi } from "./management.ts";

/** A running RabbitMQ, however it came to run. */
export interface BrokerPlace {
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

/** A running RabbitMQ and what tests ask of it. */
export interface Broker extends BrokerPlace {
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
export function brokerAt(place: BrokerPlace): Broker {
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
        for (const { name, client_properties } of await management<ClientConnection[]>("GET", path)) {
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

interface ClientConnection {
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
