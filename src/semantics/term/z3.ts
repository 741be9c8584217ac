/**
 * Z3 (compiled to WebAssembly, npm's `z3-solver`) as a solver of assertions about terms.
 *
 * Each question has a context of its own: nothing is left over from one to the next, and memory stays flat. Z3 takes one question at a
 * time, so questions queue. It lives in worker threads: `stop` ends them, or the process does not exit.
 */
import { init, killThreads, Z3_error_code, Z3_lbool } from "z3-solver";
import type { Term, Variable } from "./node.ts";
import { variablesOf } from "./node.ts";
import { toSmtLib } from "./smt.ts";

type Answer =
  /** No values of the variables make all assertions 1: only this is a proof. */
  | { readonly result: "unsat" }
  /** These values do. */
  | { readonly result: "sat"; readonly model: ReadonlyMap<Term, bigint> }
  /** Z3 gave up, for this reason ("timeout" after the time limit). */
  | { readonly result: "unknown"; readonly reason: string };

export interface Z3 {
  /** Whether all assertions can be 1 at once. Throws if Z3 reports an error. */
  readonly solve: (assertions: readonly Term<1>[], timeoutMs?: number) => Promise<Answer>;
  readonly stop: () => Promise<void>;
}

/** Decides bit-vectors faster than the default solver, by simplification and one SAT problem. */
const TACTICS = ["simplify", "propagate-values", "solve-eqs", "simplify", "bit-blast", "sat"] as const;

export async function startZ3(): Promise<Z3> {
  const { Z3: api, em } = await init();
  type Context = ReturnType<typeof api.mk_context>;

  const failOnError = (context: Context): void => {
    const code = api.get_error_code(context);
    if (code !== Z3_error_code.Z3_OK) throw new Error(`Z3: ${api.get_error_msg(context, code)}`);
  };

  // All but expressions counts references, and what nobody holds is gone at the next call. The context's end frees the rest.
  const tactic = (context: Context): ReturnType<typeof api.mk_tactic> =>
    TACTICS.map((name) => {
      const made = api.mk_tactic(context, name);
      api.tactic_inc_ref(context, made);
      return made;
    }).reduce((a, b) => {
      const both = api.tactic_and_then(context, a, b);
      api.tactic_inc_ref(context, both);
      return both;
    });

  const ask = async (
    context: Context,
    assertions: readonly Term<1>[],
    timeoutMs: number,
  ): Promise<Answer> => {
    const solver = api.mk_solver_from_tactic(context, tactic(context));
    api.solver_inc_ref(context, solver);
    const params = api.mk_params(context);
    api.params_inc_ref(context, params);
    api.params_set_uint(context, params, api.mk_string_symbol(context, "timeout"), timeoutMs);
    api.solver_set_params(context, solver, params);
    api.solver_from_string(context, solver, toSmtLib(assertions));
    failOnError(context);
    const verdict = await api.solver_check(context, solver);
    failOnError(context);
    if (verdict === Z3_lbool.Z3_L_FALSE) return { result: "unsat" };
    if (verdict === Z3_lbool.Z3_L_UNDEF)
      return { result: "unknown", reason: api.solver_get_reason_unknown(context, solver) };
    const model = api.solver_get_model(context, solver);
    api.model_inc_ref(context, model);
    const valueOf = (variable: Variable<number>): bigint => {
      const sort = api.mk_bv_sort(context, variable.width);
      const constant = api.mk_const(context, api.mk_string_symbol(context, variable.name), sort);
      const value = api.model_eval(context, model, constant, true);
      if (value === null) throw new Error(`Z3: no value for ${variable.name}`);
      return BigInt(api.get_numeral_string(context, value));
    };
    return { result: "sat", model: new Map(variablesOf(assertions).map((v) => [v, valueOf(v)])) };
  };

  let last: Promise<unknown> = Promise.resolve();
  const solve: Z3["solve"] = (assertions, timeoutMs = 0xffffffff) => {
    const answer = last.then(async () => {
      const config = api.mk_config();
      const context = api.mk_context(config);
      api.del_config(config);
      try {
        return await ask(context, assertions, timeoutMs);
      } finally {
        api.del_context(context);
      }
    });
    last = answer.catch(() => undefined);
    return answer;
  };
  return { solve, stop: async () => killThreads(em) };
}
