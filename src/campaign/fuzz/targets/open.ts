/** Targets that are programs, by name. */
import { commandTarget } from "./command.ts";
import { restOf } from "./named.ts";
import type { Target } from "./target.ts";

/** The program that answers for a target; undefined where none has to be asked. */
export function targetNamed(name: string): Target | undefined {
  const command = restOf("command", name);
  return command === undefined ? undefined : commandTarget(command);
}
