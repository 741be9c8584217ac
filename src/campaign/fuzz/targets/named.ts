/** Targets by the names that command lines have for them. */
import { InputError } from "../../../semantics/errors.ts";
import { commandTarget } from "./command.ts";
import type { Target } from "./target.ts";

/** By what stands before the colon. */
const MAKERS: Readonly<Record<string, (rest: string) => Target>> = { command: commandTarget };

/** The name of our own verifier: it needs no target. */
export const OURS = "ours";

/** @throws InputError  for a name of no target */
export function targetNamed(name: string): Target | undefined {
  if (name === OURS) return undefined;
  const at = name.indexOf(":");
  const make = at === -1 ? undefined : MAKERS[name.slice(0, at)];
  const rest = name.slice(at + 1);
  if (make !== undefined && rest !== "") return make(rest);
  throw new InputError(
    `there is no target ${name}: it must be ${[OURS, ...Object.keys(MAKERS).map((kind) => `${kind}:…`)].join(", ")}`,
  );
}
