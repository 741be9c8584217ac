/** Which of the kernel's functions programs may attach to, and how. */
import type { Btf } from "../../../object/btf.ts";
import type { FunctionTargets } from "../../../semantics/profile/profile.ts";
import type { AttachType, ProgramType } from "../../../semantics/program/program-types.ts";
import type { Kernel } from "../calls.ts";
import { type Ask, all } from "./ask.ts";
import { EXIT, loads, refusal } from "./program.ts";

interface Named {
  readonly id: number;
  readonly name: string;
}

/** What kernels say of a function of which their BTF tells and which they do not have, and of one that is closed: older ones nothing. */
const MISSING = /^The address of function .* cannot be found/;
const CLOSED = /^Attaching tracing programs to function .* is rejected|^$/;
/** They say it before they look at instructions. A program that ends without a result is refused for its instructions. */
const NO_RESULT = [EXIT];
const REACHED = /^R0 !read_ok/;

/** Asks of every function in the kernel's BTF; `undefined` if none takes a program. */
export function* probeFunctions(kernel: Kernel, btf: Btf): Ask<FunctionTargets | undefined> {
  const functions = named(btf);
  const said = yield* all(
    functions.map(({ id }) =>
      refusal(kernel, { type: "tracing", attach: "trace_fentry", target: id, retval: 0 }, [], {
        end: NO_RESULT,
      }),
    ),
  );
  const saying = (pattern: RegExp): Named[] => functions.filter((_, i) => pattern.test(said[i] ?? ""));
  const reached = saying(REACHED);
  if (reached.length === 0) return undefined;
  const text = (list: readonly Named[]): string => list.map(({ name }) => name).join(" ");
  const hooks = functions.filter(({ name }) => name.startsWith("bpf_lsm_"));
  const sleepable = yield* accepted(kernel, reached, "tracing", "trace_fentry", true);
  const sleepableHooks = yield* accepted(kernel, hooks, "lsm", "lsm_mac", true);
  return {
    missing: text(saying(MISSING)),
    closed: text(saying(CLOSED)),
    modifiable: text(yield* accepted(kernel, reached, "tracing", "modify_return", false)),
    sleepable: text([...sleepable, ...sleepableHooks]),
  };
}

/** The functions that a program may attach to. */
function* accepted(
  kernel: Kernel,
  functions: readonly Named[],
  type: ProgramType,
  attach: AttachType,
  sleeps: boolean,
): Ask<Named[]> {
  const answers = yield* all(
    functions.map(({ id }) =>
      loads(
        kernel,
        { type, attach, target: id, retval: 0, ...(sleeps ? { sleepable: true as const } : {}) },
        [],
      ),
    ),
  );
  return functions.filter((_, i) => answers[i] === true);
}

/** Functions of one name are one: kernels take the first. */
function named(btf: Btf): readonly Named[] {
  const found = new Map<string, number>();
  for (let id = 1; id < btf.count; id += 1) {
    if (btf.kind(id) === "func" && !found.has(btf.name(id))) found.set(btf.name(id), id);
  }
  return [...found].map(([name, id]) => ({ id, name }));
}
