/** `corpus/classic/expressions.json`: the filters that tcpdump makes of the expressions, for Ethernet. */
import { z } from "zod";
import type { Filter } from "../../src/semantics/classic/instruction.ts";
import { readBytecode, writeBytecode } from "../../src/semantics/classic/numbers.ts";

export interface CompiledExpression {
  readonly expression: string;
  readonly filter: Filter;
}

const FILE = z.strictObject({
  /** Of tcpdump. */
  version: z.string(),
  /** A filter on one line, as `soundcheck cbpf asm -o bytecode` prints it. */
  filters: z.array(z.strictObject({ expression: z.string(), filter: z.string() })),
});

export function readExpressions(text: string): readonly CompiledExpression[] {
  const parsed: unknown = JSON.parse(text);
  return FILE.parse(parsed).filters.map(({ expression, filter }) => ({
    expression,
    filter: readBytecode(filter),
  }));
}

export function writeExpressions(version: string, compiled: readonly CompiledExpression[]): string {
  const filters = compiled.map(({ expression, filter }) => ({
    expression,
    filter: writeBytecode(filter).trim(),
  }));
  const lines = filters.map((each) => `    ${JSON.stringify(each)}`);
  return `{\n  "version": ${JSON.stringify(version)},\n  "filters": [\n${lines.join(",\n")}\n  ]\n}\n`;
}
