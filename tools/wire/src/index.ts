export type { StopPlace } from "./lane.ts";
export type { Connection, Held } from "./line.ts";
export type { Content, Direction, Said } from "./messages.ts";
export type { ContentMethod, FieldsOf, FieldTable, MethodName, Properties } from "./methods.ts";
export { openWire, type Wire, type WireEvents, type WireOptions } from "./wire.ts";
