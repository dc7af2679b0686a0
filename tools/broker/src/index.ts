export type { Broker, Permissions, User, VirtualHost } from "./broker.ts";
export {
  type Cluster,
  type ClusterNode,
  type ClusterOptions,
  freeClusterUrl,
  managementOfCluster,
  startCluster,
} from "./cluster.ts";
export { findEngine } from "./docker.ts";
export { type FoundBroker, findBroker, startBroker } from "./find.ts";
export { findInstallWay } from "./install.ts";
export { type Keeper, type Keepsake, keep, type Program } from "./keeper.ts";
export { type Management, ManagementError, managementApi } from "./management.ts";
export type { StartOptions, Tls } from "./options.ts";
export { freePorts, isFree, onPorts } from "./ports.ts";
export { handshake } from "./ready.ts";
export { withBroker } from "./with-broker.ts";
