import type { Member, StartOptions, Tls } from "./options.ts";

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
