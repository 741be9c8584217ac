/**
 * Z3 (compiled to WebAssembly, npm's `z3-solver`) as a solver of assertions about terms, or of SMT-LIB text.
 *
 * Each question has a context of its own: nothing is left over from one to the next, and memory stays flat. Z3 takes one question at a
 * time, so questions queue. It lives in worker threads: `stop` ends them, or the process does not exit.
 */
import { init, killThreads, Z3_error_code, Z3_lbool } from "z3-solver";
import type { Term } from "./node.ts";
import { variablesOf } from "./node.ts";
import { toSmtLib } from "./smt.ts";

/** Bit-vectors, or integers and what is made of them. */
export type Logic = "bits" | "integers";

/** Assertions as text, without `check-sat`. */
export interface Z3Question {
  readonly text: string;
  readonly logic: Logic;
  readonly timeoutMs: number;
  /** The constants whose values are wanted if there is a model; widths count for bit-vectors alone. */
  readonly wanted: readonly { readonly name: string; readonly width: number }[];
}

export type Z3Answer =
  /** Nothing makes all assertions true: only this is a proof. */
  | { readonly result: "unsat" }
  /** These values do, in the order in which they were wanted; where no value matters Z3 picks one. */
  | { readonly result: "sat"; readonly values: readonly bigint[] }
  /** Z3 gave up, for this reason ("timeout" or "canceled" after the time limit). */
  | { readonly result: "unknown"; readonly reason: string };

type Answer =
  | Exclude<Z3Answer, { result: "sat" }>
  | { readonly result: "sat"; readonly model: ReadonlyMap<Term, bigint> };

export interface Z3 {
  /** As Z3 tells it: `Z3 5.1.0`. */
  readonly version: string;
  /** Whether the assertions can all be true. Throws if Z3 reports an error. */
  readonly decide: (question: Z3Question) => Promise<Z3Answer>;
  /** Whether all assertions can be 1 at once. Throws if Z3 reports an error. */
  readonly solve: (assertions: readonly Term<1>[], timeoutMs?: number) => Promise<Answer>;
  readonly stop: () => Promise<void>;
}

/** Decides bit-vectors faster than the default solver, by simplification and one SAT problem. */
const TACTICS = ["simplify", "propagate-values", "solve-eqs", "simplify", "bit-blast", "sat"] as const;

const NO_LIMIT = 0xffffffff;

/**
 * What the plain solver may spend on a question about integers, in Z3's own units (these are a second or less), before the one with
 * strategies gets it: it is several times faster at most questions and at home in fewer. A limit in seconds would make chance of it.
 */
const PLAIN_LIMIT = 50_000;

export async function startZ3(): Promise<Z3> {
  const { Z3: api, em } = await init();
  type Context = ReturnType<typeof api.mk_context>;
  type Solver = ReturnType<typeof api.mk_solver>;

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

  const limited = (context: Context, solver: Solver, limits: Readonly<Record<string, number>>): Solver => {
    api.solver_inc_ref(context, solver);
    const params = api.mk_params(context);
    api.params_inc_ref(context, params);
    for (const [name, limit] of Object.entries(limits))
      api.params_set_uint(context, params, api.mk_string_symbol(context, name), limit);
    api.solver_set_params(context, solver, params);
    return solver;
  };

  /** Those that are tried in turn, until one knows. The tactic is for bit-vectors alone: given integers it answers nonsense. */
  const solversFor = (
    context: Context,
    { logic, timeoutMs: timeout }: Z3Question,
  ): readonly (() => Solver)[] =>
    logic === "bits"
      ? [() => limited(context, api.mk_solver_from_tactic(context, tactic(context)), { timeout })]
      : [
          // Together they keep to the time.
          () =>
            limited(context, api.mk_simple_solver(context), { timeout: timeout >>> 2, rlimit: PLAIN_LIMIT }),
          () => limited(context, api.mk_solver(context), { timeout: timeout - (timeout >>> 2) }),
        ];

  const valuesOf = (context: Context, solver: Solver, { logic, wanted }: Z3Question): readonly bigint[] => {
    const model = api.solver_get_model(context, solver);
    api.model_inc_ref(context, model);
    return wanted.map(({ name, width }) => {
      const sort = logic === "bits" ? api.mk_bv_sort(context, width) : api.mk_int_sort(context);
      const constant = api.mk_const(context, api.mk_string_symbol(context, name), sort);
      const value = api.model_eval(context, model, constant, true);
      if (value === null) throw new Error(`Z3: no value for ${name}`);
      return BigInt(api.get_numeral_string(context, value));
    });
  };

  const askOne = async (context: Context, solver: Solver, question: Z3Question): Promise<Z3Answer> => {
    api.solver_from_string(context, solver, question.text);
    failOnError(context);
    const verdict = await api.solver_check(context, solver);
    failOnError(context);
    if (verdict === Z3_lbool.Z3_L_FALSE) return { result: "unsat" };
    if (verdict === Z3_lbool.Z3_L_UNDEF)
      return { result: "unknown", reason: api.solver_get_reason_unknown(context, solver) };
    return { result: "sat", values: valuesOf(context, solver, question) };
  };

  const ask = async (context: Context, question: Z3Question): Promise<Z3Answer> => {
    let answer: Z3Answer = { result: "unknown", reason: "nobody asked" };
    for (const make of solversFor(context, question)) {
      answer = await askOne(context, make(), question);
      if (answer.result !== "unknown") break;
    }
    return answer;
  };

  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };

  const decide: Z3["decide"] = (question) =>
    inTurn(async () => {
      const config = api.mk_config();
      const context = api.mk_context(config);
      api.del_config(config);
      try {
        return await ask(context, question);
      } finally {
        api.del_context(context);
      }
    });

  const solve: Z3["solve"] = async (assertions, timeoutMs = NO_LIMIT) => {
    const wanted = variablesOf(assertions);
    const answer = await decide({ text: toSmtLib(assertions), logic: "bits", timeoutMs, wanted });
    if (answer.result !== "sat") return answer;
    return { result: "sat", model: new Map(wanted.map((v, i) => [v, answer.values[i] ?? 0n])) };
  };

  const version = api.get_full_version().replace(/^Z3 (\d+\.\d+\.\d+).*$/s, "Z3 $1");
  return { version, decide, solve, stop: async () => killThreads(em) };
}
