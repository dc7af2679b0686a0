export { BrokerError, giveUp } from "./broker-error.ts";
export { type ConnectOptions, closed, connect } from "./connect.ts";
export { type ConsumerChannel, type Consumption, consume, firstSignal, openConsumer } from "./consume.ts";
export { produce } from "./produce.ts";
export { text } from "./text.ts";
export { integer, type Usage, usage } from "./usage.ts";
