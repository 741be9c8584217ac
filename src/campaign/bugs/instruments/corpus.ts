/** The corpus: verdicts, messages and results that were recorded on a kernel, against what this version says. */
import { DEFAULT_RULES } from "../../../semantics/profile/rules.ts";
import { verify } from "../../../verifier/verify.ts";
import { checkedVerdict } from "../../compare/answer.ts";
import { checkExpectation } from "../../expectations.ts";
import { generator } from "../../random.ts";
import { gaveUp, isUnconfirmed } from "./containment.ts";
import type { Instrument } from "./instrument.ts";

/** Steps of a checker for one program: the explorations of some versions leave certificates that would keep it busy for minutes. */
const LIMIT = 2_000_000;

/** Goes through all of the corpus, in an order of the seed's. */
export const corpus: Instrument = {
  run({ seed, isOver, corpus: { count, tasks, knowledge, rules = DEFAULT_RULES } }) {
    const order = shuffled(count, seed);
    let tried = 0;
    for (const index of order) {
      if (isOver()) break;
      for (const { program, together, expected } of tasks(index)) {
        tried += 1;
        if (expected === undefined) continue;
        try {
          const ours = checkedVerdict(verify(program, undefined, rules, undefined, LIMIT), 0);
          const held = checkExpectation(program, together, ours, expected, knowledge, rules);
          if (held?.holds === false)
            return { tried, evidence: `${program.name}: ${held.reason ?? ""}`, program };
        } catch (error) {
          if (!isUnconfirmed(error)) throw error;
          if (gaveUp(error.message)) continue;
          return { tried, evidence: `${program.name}: ${error.message}`, program };
        }
      }
    }
    return { tried };
  },
};

function shuffled(count: number, seed: number): readonly number[] {
  const random = generator(seed);
  const order = Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i -= 1) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}
