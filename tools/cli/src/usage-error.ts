/** What is wrong with a command line, in a sentence. `readCommandLine` prints it with the usage. */
export class UsageError extends Error {}
