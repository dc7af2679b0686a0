export * from "../amqp/index.ts";
export { consume } from "./consume.ts";
export { look, replay } from "./dead-letters.ts";
export { canDie, type Death, deathsOf, type Headers, inWords } from "./deaths.ts";
export { giveUp } from "./give-up.ts";
export { log } from "./log.ts";
export { produce } from "./produce.ts";
export { firstSignal } from "./signal.ts";
export { integer, type Usage, usage } from "./usage.ts";
