/**
 * Makes a message's body, or any other string from outside, safe to print.
 *
 * A terminal obeys control characters: they can hide a line, move the cursor or set the window's title. Anyone
 * who may publish to a queue decides what a body holds. So each of them becomes visible: `\n`, `\x1b`, `\u202e`.
 *
 * @param body The body of a message, or a string. Bytes are decoded as UTF-8; an invalid byte becomes U+FFFD.
 * @returns One line of printable text.
 */
export function text(body: Uint8Array | string): string {
  // ignoreBOM: a byte-order mark is kept, so that it becomes visible, too.
  const decoded =
    typeof body === "string" ? body : new TextDecoder("utf-8", { ignoreBOM: true }).decode(body);
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

// Cc: C0 and C1 controls. Cf: bidirectional overrides and other invisible characters. Zl and Zp: line breaks.
// The zero-width joiner stays, since many emoji are made with it.
const unprintable = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const hex = (code: number, digits: number) => code.toString(16).padStart(digits, "0");
