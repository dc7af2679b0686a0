/**
 * The anchor of a heading, as GitHub makes it: "Break it: lose two of three" has the anchor `break-it-lose-two-of-three`.
 *
 * @param heading As plain text.
 */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
    .replaceAll(" ", "-");
