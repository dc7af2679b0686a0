/** An action that can't be done. Its message is for the learner, in a sentence. */
export class Refused extends Error {
  override readonly name = "Refused";
  /** The HTTP status: 400 it makes no sense, 404 no such thing, 409 not now. */
  readonly status: 400 | 404 | 409;

  constructor(status: Refused["status"], message: string) {
    super(message);
    this.status = status;
  }
}
