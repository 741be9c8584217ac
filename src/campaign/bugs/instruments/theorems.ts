/** Theorems: those whose terms are not the ones that the ledger says are proved are put to the solver, until one is refuted. */
import { hashOf, readLedger } from "../../../proof/ledger.ts";
import { Pool } from "../../../proof/pool.ts";
import { Prover } from "../../../proof/prove.ts";
import type { Theorem } from "../../../proof/theorem.ts";
import { theorems as catalogue } from "../../../proof/theorems/index.ts";
import { z3Process } from "../../../proof/z3-process.ts";
import type { Instrument, Outcome } from "./instrument.ts";

/** Milliseconds for one question. */
const TIMEOUT = 20_000;

export const theorems: Instrument = {
  async run({ begins, isOver, ledger, now, theorems: names }): Promise<Outcome> {
    const proved = readLedger(ledger());
    const isAsked = ({ name, open, obligations }: Theorem): boolean => {
      if (open !== undefined) return false;
      if (names !== undefined) return names.includes(name);
      const entry = proved.get(name);
      // What has no proof yet says nothing about a change.
      return entry !== undefined && entry.hash !== hashOf(obligations());
    };
    const asked = catalogue().filter(isAsked);
    // Those that are proved fast come first.
    const seconds = ({ name }: Theorem): number => proved.get(name)?.seconds ?? 0;
    const queue = [...asked].sort((a, b) => seconds(a) - seconds(b));
    const pool = new Pool(1, now);
    const z3 = (): ReturnType<typeof z3Process> => z3Process({});
    const prover = new Prover({ pool, solvers: { bits: [z3], integers: [z3] }, timeoutMs: TIMEOUT });
    let tried = 0;
    // To write all theorems down again takes longer than most of the proofs.
    begins();
    try {
      for (const theorem of queue) {
        if (isOver()) break;
        tried += 1;
        const { outcome } = await prover.theorem(theorem);
        if (outcome.kind === "refuted")
          return {
            tried,
            evidence: `${theorem.name} is refuted`,
            refuted: theorem.name,
            affected: asked.length,
          };
      }
      return { tried, affected: asked.length };
    } finally {
      pool.stop();
    }
  },
};
