/** Theorems: those whose terms are not the ones that the ledger says are proved are put to the solver, until one is refuted. */
import { hashOf, readLedger } from "../../../proof/ledger.ts";
import { Pool } from "../../../proof/pool.ts";
import { Prover } from "../../../proof/prove.ts";
import type { Theorem } from "../../../proof/theorem.ts";
import { theorems as catalogue } from "../../../proof/theorems/index.ts";
import { z3Process } from "../../../proof/z3-process.ts";
import type { Instrument, Outcome } from "./instrument.ts";

/** Seconds of processor time for one theorem, and how often they are looked at (milliseconds). */
const [EACH, LOOK] = [20, 100];
/** Milliseconds after which Z3 gives up a question by the clock on the wall: never before its processor time is up. */
const TIMEOUT = 3_600_000;

export const theorems: Instrument = {
  async run({ begins, isOver, ledger, now, spent, theorems: names }): Promise<Outcome> {
    const proved = readLedger(ledger());
    let unwritten = 0;
    const isAsked = ({ name, open, obligations }: Theorem): boolean => {
      if (open !== undefined) return false;
      if (names !== undefined) return names.includes(name);
      const entry = proved.get(name);
      // What has no proof yet says nothing about a change.
      if (entry === undefined) return false;
      try {
        return entry.hash !== hashOf(obligations());
      } catch {
        // A method of proof presumes how an operator is made: a loop, say. That it is made otherwise is no fault.
        unwritten += 1;
        return false;
      }
    };
    const asked = catalogue().filter(isAsked);
    // Those that are proved fast come first.
    const seconds = ({ name }: Theorem): number => proved.get(name)?.seconds ?? 0;
    const queue = [...asked].sort((a, b) => seconds(a) - seconds(b));
    const z3 = (): ReturnType<typeof z3Process> => z3Process({});
    const solvers = (): { readonly pool: Pool; readonly prover: Prover } => {
      const pool = new Pool(1, now);
      return {
        pool,
        prover: new Prover({ pool, solvers: { bits: [z3], integers: [z3] }, timeoutMs: TIMEOUT }),
      };
    };
    let { pool, prover } = solvers();
    let tried = 0;
    // To write all theorems down again takes longer than most of the proofs.
    begins();
    for (const theorem of queue) {
      if (isOver()) break;
      tried += 1;
      const start = spent();
      let late = false;
      const asking = pool;
      const watch = setInterval(() => {
        late ||= isOver() || spent() - start > EACH;
        if (late) asking.stop();
      }, LOOK);
      const { outcome } = await prover.theorem(theorem);
      clearInterval(watch);
      if (outcome.kind === "refuted") {
        pool.stop();
        const evidence = `${theorem.name} is refuted`;
        return { tried, evidence, refuted: theorem.name, affected: asked.length, unwritten };
      }
      // A solver that was stopped stays so.
      if (late) ({ pool, prover } = solvers());
    }
    pool.stop();
    return { tried, affected: asked.length, unwritten };
  },
};
