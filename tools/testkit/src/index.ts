export { type Run, type RunOptions, type RunWith, test } from "./fixtures.ts";
export { type Manners, manners } from "./manners.ts";
export { everyType, openPlainClient, type PlainClient, partsOf } from "./plain-client.ts";
export { scenarios } from "./scenarios.ts";
