/** Something that can't be taken, and why, in one line. */
export class Refusal extends Error {}
