/** Targets by the names that command lines have for them. */
import { InputError } from "../../../semantics/errors.ts";
import { checkKernelName } from "../../kernels/names.ts";

/** Our own verifier: it needs no target. */
export const OURS = "ours";

/** What kinds of verifiers there are to test. A seeded one is ours with a bug in it, in processes of its own. */
export type Subject = "ours" | "command" | "kernel";

/** By what stands before the colon: which kind it is, and what is wrong with the rest of a name, if anything is. */
const KINDS: Readonly<
  Record<string, { readonly subject: Subject; readonly check?: (rest: string) => void }>
> = {
  command: { subject: "command" },
  kernel: { subject: "kernel", check: checkKernelName },
  seeded: { subject: "ours" },
};

const partsOf = (name: string): readonly [kind: string, rest: string] => {
  const at = name.indexOf(":");
  return at === -1 ? [name, ""] : [name.slice(0, at), name.slice(at + 1)];
};

/** What stands behind a kind in a name, if it is of that kind. */
export function restOf(kind: "command" | "kernel" | "seeded", name: string): string | undefined {
  const [own, rest] = partsOf(name);
  return own === kind && rest !== "" ? rest : undefined;
}

/** @throws InputError  for a name of no target */
export function subjectOf(name: string): Subject {
  if (name === OURS) return OURS;
  const [kind, rest] = partsOf(name);
  const known = KINDS[kind];
  if (known === undefined || rest === "") {
    const names = [OURS, ...Object.keys(KINDS).map((each) => `${each}:…`)];
    throw new InputError(`there is no target ${name}: it must be ${names.join(", ")}`);
  }
  known.check?.(rest);
  return known.subject;
}
