/**
 * A message's body as text that is safe to print.
 *
 * Whoever may publish to a queue decides what a body holds, and a terminal obeys control characters: they can
 * hide a line, move the cursor or set the window's title. So each becomes visible: `\n`, `\x1b`, `\u202e`.
 *
 * @param body The body of a message (decoded as UTF-8, an invalid byte becomes U+FFFD) or a piece of text.
 * @returns One line of printable text.
 */
export function text(body: Uint8Array | string): string {
  const decoded = typeof body === "string" ? body : new TextDecoder().decode(body);
  return decoded.replace(unprintable, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === "\n") return "\\n";
    if (character === "\r") return "\\r";
    if (character === "\t") return "\\t";
    return code < 0x100
      ? `\\x${hex(code, 2)}`
      : code < 0x10000
        ? `\\u${hex(code, 4)}`
        : `\\u{${hex(code, 5)}}`;
  });
}

// Cc: C0 and C1 controls; Cf: bidirectional overrides and other invisible characters; Zl and Zp: line breaks.
// The zero-width joiner stays, since many emoji are made with it.
const unprintable = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const hex = (code: number, digits: number) => code.toString(16).padStart(digits, "0");
