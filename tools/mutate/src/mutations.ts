import { parseSync, Visitor } from "oxc-parser";

/** One change to a source file. */
export interface Mutation {
  /** What it does: `removes a statement`. */
  what: string;
  /** Where the changed text begins and ends, in UTF-16 code units. */
  start: number;
  end: number;
  replacement: string;
  /** The line on which it begins, counted from 1. */
  line: number;
}

interface Span {
  start: number;
  end: number;
}

const opposites: Record<string, string> = {
  "===": "!==",
  "!==": "===",
  "<": ">=",
  ">=": "<",
  ">": "<=",
  "<=": ">",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "&&": "||",
  "||": "&&",
};

/**
 * Lists the changes that a test should notice, one place at a time: a statement that calls something is removed, an
 * `await` is dropped, a condition is negated, an operator is turned round, two arguments change places, and a number, a
 * string or a boolean becomes another. Types, imports and comments are left alone.
 *
 * @param file The file's name, whose ending tells the language.
 * @param source Its text.
 * @returns The changes, in the order of the file.
 * @throws {SyntaxError} When the file can't be parsed.
 */
export function mutationsOf(file: string, source: string): Mutation[] {
  const { program, errors } = parseSync(file, source);
  if (errors[0]) throw new SyntaxError(`${file}: ${errors[0].message}`);
  const mutations: Mutation[] = [];
  const skipped: Span[] = [];
  const skip = (node: Span) => void skipped.push(node);
  const textOf = ({ start, end }: Span) => source.slice(start, end);
  const add = (what: string, { start, end }: Span, replacement: string) => {
    const line = source.slice(0, start).split("\n").length;
    mutations.push({ what, start, end, replacement, line });
  };
  const turnRound = (node: Span & { left: Span; right: Span; operator: string }) => {
    const opposite = opposites[node.operator];
    if (!opposite) return;
    const between = { start: node.left.end, end: node.right.start };
    add(`turns ${node.operator} round`, between, textOf(between).replace(node.operator, opposite));
  };

  new Visitor({
    ImportDeclaration: skip,
    ExportAllDeclaration: skip,
    TSTypeAnnotation: skip,
    TSTypeParameterInstantiation: skip,
    TSTypeParameterDeclaration: skip,
    TSInterfaceDeclaration: skip,
    TSTypeAliasDeclaration: skip,
    TSAsExpression: (node) => skip(node.typeAnnotation),
    ExpressionStatement(node) {
      const { expression } = node;
      const call = expression.type === "AwaitExpression" ? expression.argument : expression;
      if (call.type === "CallExpression") add("removes a statement", node, ";");
    },
    AwaitExpression: (node) => add("drops an await", node, textOf(node.argument)),
    IfStatement: (node) => add("negates a condition", node.test, `!(${textOf(node.test)})`),
    ConditionalExpression: (node) => add("negates a condition", node.test, `!(${textOf(node.test)})`),
    BinaryExpression: turnRound,
    LogicalExpression: turnRound,
    CallExpression({ callee, arguments: [first, second] }) {
      // The order of these arguments changes nothing.
      if (!first || !second || /^Math\.(max|min)$/.test(textOf(callee))) return;
      const between = source.slice(first.end, second.start);
      const both = { start: first.start, end: second.end };
      add("swaps two arguments", both, `${textOf(second)}${between}${textOf(first)}`);
    },
    Literal(node) {
      if (typeof node.value === "boolean") add("turns a boolean round", node, String(!node.value));
      if (typeof node.value === "number") add("changes a number", node, String(node.value + 1));
      if (typeof node.value === "string") add("changes a string", node, node.value === "" ? '"x"' : '""');
    },
  }).visit(program);

  return mutations
    .filter(({ start, end }) => !skipped.some((span) => span.start <= start && end <= span.end))
    .sort((a, b) => a.start - b.start);
}

/** Makes one change. */
export const mutate = (source: string, { start, end, replacement }: Mutation): string =>
  source.slice(0, start) + replacement + source.slice(end);
