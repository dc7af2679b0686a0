export type { Broker, Permissions, StartOptions, Tls, User, VirtualHost } from "./broker.ts";
export {
  type Cluster,
  type ClusterNode,
  type ClusterOptions,
  freeClusterUrl,
  managementOfCluster,
  startCluster,
} from "./cluster.ts";
export { type FoundBroker, findBroker, startBroker } from "./find.ts";
export { findInstallWay } from "./install.ts";
export { type Keeper, startKeeper } from "./keepers.ts";
export { type Management, ManagementError, managementApi } from "./management.ts";
export { freePorts, isFree, onPorts } from "./ports.ts";
export { progress } from "./progress.ts";
export { withBroker } from "./with-broker.ts";
