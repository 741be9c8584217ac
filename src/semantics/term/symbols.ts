/** The names of variables in SMT-LIB text, for all readings that write it. */
import { TermError } from "./build.ts";
import { type Term, type Variable, variablesOf } from "./node.ts";

/** A variable's symbol. Names that SMT-LIB cannot quote, or that begin as ours for definitions do, are a `TermError`. */
export function symbolOf({ name }: Variable<number>): string {
  if (/[|\\]/.test(name) || name.startsWith("$")) throw new TermError(`no SMT-LIB symbol: ${name}`);
  return `|${name}|`;
}

/** The variables to declare; two of one name and different widths are a `TermError`. */
export function variablesToDeclare(assertions: readonly Term<1>[]): readonly Variable<number>[] {
  const variables = variablesOf(assertions);
  if (new Set(variables.map(({ name }) => name)).size < variables.length)
    throw new TermError("variables of one name and different widths");
  return variables;
}
