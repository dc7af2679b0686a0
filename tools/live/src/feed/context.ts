import type { Basis, Happening } from "../protocol.ts";
import type { Ledger } from "./ledger.ts";
import type { Plan } from "./topology.ts";

/** What the parts of a feed share. */
export interface Context {
  readonly plan: Plan;
  readonly ledger: Ledger;
  /** Tells the page. */
  say(happening: Said, basis?: Basis): void;
  /** The next message's number. */
  nextMessage(): number;
  /** Has the broker asked soon what there is. */
  lookAgain(): void;
  /** Has it asked at once. Rejects when it doesn't answer. */
  look(): Promise<void>;
}

/** A happening without its basis. */
export type Said = Happening extends infer Each
  ? Each extends Happening
    ? Omit<Each, "basis">
    : never
  : never;
