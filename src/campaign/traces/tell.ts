/** Operations and what became of them, in words. */
import type { Operation } from "../../kernel/operation.ts";
import { OBJECT_KINDS, type ObjectKind, type Observation } from "../../kernel/system.ts";
import { errnoName } from "../../oracle/linux/errno.ts";

/** `map 3` */
export type ObjectName = `${ObjectKind} ${number}`;

/** `process 1: bpf map_create {"map_type":2}` */
export function tellOperation(operation: Operation): string {
  const { process, do: name, ...rest } = operation;
  if (operation.do === "bpf") {
    const { command, attr, size, tail } = operation;
    return `process ${process}: bpf ${command} ${JSON.stringify({ ...attr, size, tail })}`;
  }
  return `process ${process}: ${name}${Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`}`;
}

/** `3`, or `-9 (EBADF)` */
export const tellResult = (result: number): string =>
  result < 0 ? `${result} (${errnoName(-result)})` : String(result);

const namesOf = (alive: Observation["alive"]): readonly ObjectName[] =>
  OBJECT_KINDS.flatMap((kind) => alive[kind].map((id): ObjectName => `${kind} ${id}`));

/** The objects that have come and those that have gone between two observations. */
export function changes(
  before: Observation["alive"] | undefined,
  now: Observation["alive"],
): { readonly come: readonly ObjectName[]; readonly gone: readonly ObjectName[] } {
  const [was, is] = [before === undefined ? [] : namesOf(before), namesOf(now)];
  return {
    come: is.filter((name) => !was.includes(name)),
    gone: was.filter((name) => !is.includes(name)),
  };
}
