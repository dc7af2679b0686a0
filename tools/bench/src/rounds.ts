/** One way of doing the same work: what a round of it measured, in whatever unit. */
export type Way = () => Promise<number>;

export interface Comparison {
  /** Medians over all rounds. */
  ours: number;
  theirs: number;
  /** Ours divided by theirs, round by round: its median, least and greatest. */
  ratio: { median: number; least: number; greatest: number };
}

/**
 * Compares two ways in turns, since the speed of a machine drifts: A B, B A, A B … after a round that doesn't count.
 *
 * @param ours The first way.
 * @param theirs What it is compared with.
 * @param rounds How many rounds count.
 * @param onRound Hears of each round that is done.
 */
export async function compare(
  ours: Way,
  theirs: Way,
  rounds: number,
  onRound: (done: number) => void,
): Promise<Comparison> {
  const results: { ours: number; theirs: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const result = { ours: 0, theirs: 0 };
    const first = round % 2 === 0;
    if (first) result.ours = await ours();
    result.theirs = await theirs();
    if (!first) result.ours = await ours();
    if (round > 0) results.push(result);
    onRound(round);
  }
  const ratios = results.map(({ ours, theirs }) => ours / theirs);
  return {
    ours: median(results.map(({ ours }) => ours)),
    theirs: median(results.map(({ theirs }) => theirs)),
    ratio: { median: median(ratios), least: Math.min(...ratios), greatest: Math.max(...ratios) },
  };
}

/** The middle of some numbers, or the mean of the two in the middle. */
export function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}
