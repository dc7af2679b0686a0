/**
 * What a command can't do, in a sentence for its user, who can change that. The command prints the message alone, and ends
 * with an exit code that says so.
 */
export class UserError extends Error {}
