import { UsageError } from "./usage-error.ts";

/** An option of a command: how the help shows it, and how its value is read. */
export interface Option<Value> {
  /** What stands for the value in the help. Without it the option takes none. */
  placeholder?: string;
  /** What it does, in one line. */
  about: string;
  /** Whether it may be given several times. */
  repeats?: boolean;
  /**
   * Reads what was typed.
   *
   * @param values Each value, in the order of the words. None when the option was not given.
   * @param name With its hyphens, for an error message.
   * @throws {UsageError} When the value makes no sense.
   */
  read(values: string[], name: string): Value;
}

/** An option without a value: true when it is given. */
export const flag = (about: string): Option<boolean> => ({ about, read: (values) => values.length > 0 });

/** An option whose value may be any string. */
export const string = (placeholder: string, about: string): Option<string | undefined> => ({
  placeholder,
  about,
  read: ([value]) => value,
});

/** An option that may be given several times, and each time with several values and commas between them. */
export const list = (placeholder: string, about: string): Option<string[] | undefined> => ({
  placeholder,
  about,
  repeats: true,
  read: (values) =>
    values.length === 0 ? undefined : values.flatMap((value) => value.split(",")).filter(Boolean),
});

/**
 * An option whose value is a whole number.
 *
 * @param range The smallest and the largest that make sense: by default from 0 to 999,999,999.
 */
export const whole = (
  about: string,
  { from = 0, to = 999_999_999 }: { from?: number; to?: number } = {},
): Option<number | undefined> => ({
  placeholder: "N",
  about,
  read: ([value], name) => {
    if (value === undefined) return undefined;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= from && number <= to) return number;
    throw new UsageError(`${name} takes a whole number from ${from} to ${to}, not "${value}".`);
  },
});

/** An option whose value is a port. */
export const port = (about: string): Option<number | undefined> => whole(about, { from: 1, to: 65_535 });

/** An option whose value is a number above 0, with a fraction or without. */
export const number = (placeholder: string, about: string): Option<number | undefined> => ({
  placeholder,
  about,
  read: ([value], name) => {
    if (value === undefined) return undefined;
    const number = /^\d{1,5}(\.\d+)?$/.test(value) ? Number(value) : 0;
    if (number > 0) return number;
    throw new UsageError(`${name} takes a number above 0, not "${value}".`);
  },
});
