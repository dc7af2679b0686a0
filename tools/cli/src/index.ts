export { readCommandLine, UsageError } from "./command-line.ts";
export { flag, list, number, port, string, whole } from "./options.ts";
export { progress } from "./progress.ts";
export { UserError } from "./user-error.ts";
