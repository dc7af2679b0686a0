export { BrokerError } from "./broker-error.ts";
export {
  type Channels,
  type Connection,
  type ConnectOptions,
  connect,
  type Setup,
  type Status,
} from "./connect.ts";
export { type Consumer, type ConsumerOptions, type ConsumerSetup, openConsumer } from "./consumer.ts";
export { type HandleOptions, type Handler, handle, type OnDelivery } from "./handle.ts";
export type { Log } from "./log.ts";
export { openPublisher, type Publisher, type PublisherOptions, type Unconfirmed } from "./publisher.ts";
export { text } from "./text.ts";
