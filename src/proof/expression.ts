/** S-expressions, as solvers print models. */

export type Expression = string | readonly Expression[];

const TOKENS = /\|[^|]*\||[()]|[^\s()|]+/g;

/** The one expression that the text holds; undefined if it holds something else. */
export function readExpression(text: string): Expression | undefined {
  const tokens = text.match(TOKENS) ?? [];
  const open: Expression[][] = [[]];
  for (const token of tokens) {
    if (token === "(") open.push([]);
    else if (token === ")") {
      const done = open.pop();
      if (done === undefined || open.length === 0) return undefined;
      open.at(-1)?.push(done);
    } else open.at(-1)?.push(token);
  }
  const [whole = [], ...unclosed] = open;
  return whole.length === 1 && unclosed.length === 0 ? whole[0] : undefined;
}
