import { once } from "node:events";
import amqp, { type Channel, type ChannelModel } from "amqplib";
import { handshake, type Management, ManagementError, managementApi } from "broker";
import { type Arguments, type Binding, type Exchange, LookError, type Queue, type Sight } from "./sight.ts";
import { findUrls, type Urls } from "./urls.ts";

/**
 * Looks into a virtual host, again and again.
 *
 * The management API tells what there is, but counts behind: its `/queues` gathers every 5 s what queues emit every
 * 5 s. Two other questions are answered by the queues themselves (seen with 3.10.8 and 4.3.6):
 *
 * - `/queues?disable_stats=true&enable_queue_totals=true` asks each classic queue for its messages, ready and unacked.
 *   Of a quorum queue it has only what the last tick counted, by default every 5 s.
 * - A passive declare over AMQP counts consumers of both types, and the ready messages of a quorum queue. It is
 *   refused for an exclusive queue of somebody else, it answers 0 for a stream, and it renews the lease of a classic
 *   queue with `x-expires`: such queues aren't asked, since looking should change nothing. A quorum queue counts a
 *   message that `basic.get` took as a consumer until it is acked.
 */
export class Looker {
  readonly #urls: Urls;
  readonly #vhost: string;
  readonly #management: Management;
  #connection: ChannelModel | undefined;
  #channel: Channel | undefined;

  /**
   * @param vhost The virtual host; by default the one in AMQP_URL, else "/".
   * @throws {LookError} When AMQP_URL or RABBITMQ_MANAGEMENT_URL is no such URL.
   */
  constructor(vhost?: string) {
    this.#urls = findUrls();
    this.#vhost = vhost ?? this.#urls.vhost;
    // ms
    this.#management = managementApi(this.#urls.management.href, 10_000);
  }

  /**
   * @returns What the virtual host holds now.
   * @throws {LookError} When the management API doesn't answer, or refuses.
   */
  async look(): Promise<Sight> {
    const overview = await this.#get<Overview>("/overview");
    const vhost = encodeURIComponent(this.#vhost);
    const [exchanges, bindings, totals, statistics] = await Promise.all([
      this.#get<ApiExchange[]>(`/exchanges/${vhost}`),
      this.#get<ApiBinding[]>(`/bindings/${vhost}`),
      this.#get<ApiQueue[]>(`/queues/${vhost}?disable_stats=true&enable_queue_totals=true`),
      this.#get<ApiQueue[]>(`/queues/${vhost}`),
    ]);
    const remark = await this.#openChannel(overview);
    const counted = new Map(statistics.map((queue) => [queue.name, queue]));
    const queues: Queue[] = [];
    for (const queue of totals.sort(byName)) queues.push(await this.#count(queue, counted.get(queue.name)));
    return {
      version: overview.rabbitmq_version,
      vhost: this.#vhost,
      exchanges: exchanges
        .sort(byName)
        .map((exchange) => describe(exchange, bindings))
        .filter(({ name, bindings }) => name !== "" && (bindings.length > 0 || !name.startsWith("amq."))),
      queues,
      ...(remark === undefined ? {} : { remark }),
    };
  }

  /** Closes the connection, if there is one. */
  async close(): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    // The promise of amqplib 2.3.1's `close` never settles when the connection is lost meanwhile.
    await Promise.race([once(connection, "close"), connection.close()]).catch(() => {});
  }

  async #get<T>(path: string): Promise<T> {
    try {
      return await this.#management<T>("GET", path);
    } catch (error) {
      throw new LookError(await this.#explain(error), { cause: error });
    }
  }

  async #count(queue: ApiQueue, counted: ApiQueue | undefined): Promise<Queue> {
    const { name, type = "classic", exclusive, arguments: args = {} } = queue;
    const policyDefinition = counted?.effective_policy_definition ?? {};
    // A policy that was set a moment ago has a name before its definition is here.
    const unknown = Boolean(queue.policy) && Object.keys(policyDefinition).length === 0;
    const expires = "x-expires" in args || "expires" in policyDefinition || unknown;
    const declared =
      type === "quorum" || (type === "classic" && !exclusive && !expires)
        ? await this.#declarePassively(name)
        : undefined;
    const isClassic = type === "classic" && queue.messages_ready !== undefined;
    const ready = isClassic ? queue.messages_ready : type === "quorum" ? declared?.messageCount : undefined;
    const exact = {
      ready,
      unacked: isClassic ? queue.messages_unacknowledged : undefined,
      consumers: declared?.consumerCount,
    };
    return {
      name,
      type,
      state: queue.state ?? "running",
      durable: queue.durable,
      exclusive: exclusive === true,
      autoDelete: queue.auto_delete,
      arguments: args,
      ...(queue.policy ? { policy: queue.policy } : {}),
      policyDefinition,
      ready: exact.ready ?? queue.messages_ready ?? counted?.messages_ready ?? null,
      unacked: exact.unacked ?? queue.messages_unacknowledged ?? counted?.messages_unacknowledged ?? null,
      consumers: exact.consumers ?? counted?.consumers ?? null,
      mayLag: (["ready", "unacked", "consumers"] as const).filter((figure) => exact[figure] === undefined),
    };
  }

  async #declarePassively(queue: string) {
    try {
      // A refusal, say of a queue that has just gone, closes the channel.
      this.#channel ??= (await this.#connection?.createChannel())?.on("error", () => {});
      return await this.#channel?.checkQueue(queue);
    } catch {
      this.#channel = undefined;
      return undefined;
    }
  }

  /** @returns Why AMQP can't be asked, or `undefined` if it can. */
  async #openChannel({ cluster_name, rabbitmq_version }: Overview): Promise<string | undefined> {
    const { amqp: url, user, password } = this.#urls;
    try {
      if (this.#connection === undefined) {
        const at = new URL(url);
        at.pathname = `/${encodeURIComponent(this.#vhost)}`;
        const connection = await amqp.connect(at.href, {
          // ms
          timeout: 5_000,
          noDelay: true,
          clientProperties: { connection_name: "pnpm look" },
          // amqplib 2.3.1 decodes %C3%A9 in a URL's password as two letters, so it is decoded here.
          credentials: amqp.credentials.plain(user, password),
        });
        connection.on("error", () => {});
        connection.on("close", () => {
          this.#connection = undefined;
          this.#channel = undefined;
        });
        this.#connection = connection;
      }
      const { serverProperties } = this.#connection.connection;
      const there = `${serverProperties.cluster_name} ${serverProperties.version}`;
      if (there === `${cluster_name} ${rabbitmq_version}`) return undefined;
      await this.close();
      return `AMQP at ${url.host} is another broker: ${there}, but ${cluster_name} ${rabbitmq_version} at ${this.#urls.management.host}.`;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return `AMQP at ${url.host} can't be asked: ${code ?? message}.`;
    }
  }

  async #explain(error: unknown): Promise<string> {
    const { management, amqp: amqpUrl } = this.#urls;
    const user = decodeURIComponent(management.username);
    const stranger = (why: string) =>
      `What answers at ${management.origin} is not RabbitMQ's management API (${why}).\nSay in RABBITMQ_MANAGEMENT_URL where it is. Its port is usually 15672.`;
    if (!(error instanceof ManagementError)) return stranger((error as Error).message);
    const { status, message } = error;
    // It speaks something else than HTTP.
    if (/HPE_/.test(message)) return stranger(message);
    if (status === undefined)
      return (await speaksAmqp(amqpUrl.href))
        ? `RabbitMQ runs at ${amqpUrl.host}, but its management API does not answer (${message}).\nSwitch it on with \`rabbitmq-plugins enable rabbitmq_management\`, or say in RABBITMQ_MANAGEMENT_URL where it is.`
        : `No RabbitMQ to look into (${message}).\nStart one with \`pnpm broker\` or \`docker compose up -d --wait\`, or set AMQP_URL and RABBITMQ_MANAGEMENT_URL to yours.`;
    if (/not management user/i.test(message))
      return `The user "${user}" may not use the management API (${message}).\n\`rabbitmqctl set_user_tags ${user} management\` allows it.`;
    const ofVhost = /\/api\/(exchanges|bindings|queues)\//.test(message);
    if (ofVhost && (status === 401 || status === 403 || status === 404))
      return `The user "${user}" sees no virtual host "${this.#vhost}" (${message}).\nIs the name right? If so: \`rabbitmqctl set_permissions -p ${this.#vhost} ${user} ".*" ".*" ".*"\`.`;
    if (status === 401 || status === 403)
      return `The management API refused the user "${user}" (${message}).\nAre user and password in RABBITMQ_MANAGEMENT_URL, or else in AMQP_URL, right?`;
    return status === 404 ? stranger(message) : `The management API can't tell (${message}).`;
  }
}

interface Overview {
  rabbitmq_version: string;
  cluster_name: string;
}

interface ApiExchange {
  name: string;
  type: string;
  durable: boolean;
  auto_delete: boolean;
  internal: boolean;
  arguments: Arguments;
  policy?: string | null;
}

interface ApiBinding {
  source: string;
  destination: string;
  destination_type: Binding["to"];
  routing_key: string;
  arguments: Arguments;
}

interface ApiQueue {
  name: string;
  type?: string;
  state?: string;
  durable: boolean;
  exclusive?: boolean | null;
  auto_delete: boolean;
  arguments?: Arguments;
  policy?: string | null;
  effective_policy_definition?: Arguments;
  messages_ready?: number;
  messages_unacknowledged?: number;
  consumers?: number;
}

const byName = (one: { name: string }, other: { name: string }) => (one.name < other.name ? -1 : 1);

function describe(exchange: ApiExchange, bindings: ApiBinding[]): Exchange {
  const { name, type, durable, auto_delete, internal, policy } = exchange;
  return {
    name,
    type,
    durable,
    autoDelete: auto_delete,
    internal,
    arguments: exchange.arguments,
    ...(policy ? { policy } : {}),
    bindings: bindings
      .filter(({ source }) => source === name)
      .map((binding) => ({
        key: binding.routing_key,
        arguments: binding.arguments,
        to: binding.destination_type,
        name: binding.destination,
      })),
  };
}

/** Whether a broker speaks there, be it only to refuse the login. */
const speaksAmqp = (url: string): Promise<boolean> =>
  handshake(url).then(
    () => true,
    ({ message }: Error) => /server|ConnectionOpenOk/.test(message),
  );
