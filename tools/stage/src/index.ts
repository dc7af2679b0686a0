export { type Group, readCatalogue } from "./catalogue.ts";
export { compile, type Sources, sourceOf } from "./compile.ts";
export { type Keyboard, takeKeys } from "./keys.ts";
export { type Performance, type PlayOptions, play, READY, type StageEvent } from "./play.ts";
export {
  type Block,
  type Diagram,
  type Key,
  type Line,
  type Readme,
  readReadme,
  type Scenario,
} from "./readme.ts";
export {
  type Exit,
  exitInWords,
  openProgram,
  openTerminal,
  readersEnvironment,
  type Surroundings,
  Terminal,
} from "./terminal.ts";
export { compareTopologies, readDiagram, readTopology, type Topology } from "./topology.ts";
