/**
 * One instruction, one kind of pointer. The kernel turns accesses through some pointers into other instructions: of the context and of sockets its own
 * structures are read, loads from objects that may be gone are guarded, arenas have a base of their own. It does so once for each instruction, whatever
 * path leads there; so a load or store through such a pointer is one through it on all paths.
 *
 * Source: the rules and the message are those of Linux 6.18, which makes one exception: objects that are vouched for, others, and memory may meet in a load.
 */
import { baseOf, KIND } from "../register.ts";
import type { Machine } from "./machine.ts";
import { reject } from "./rejection.ts";

/** Bases of pointers through which an access becomes another instruction. */
const REWRITTEN: ReadonlySet<number> = new Set([
  KIND.context,
  KIND.sockCommon,
  KIND.socket,
  KIND.tcpSock,
  KIND.xdpSock,
  KIND.btf,
  KIND.arena,
]);

const isObjectOrMemory = (kind: number): boolean => baseOf(kind) === KIND.btf || baseOf(kind) === KIND.memory;

/**
 * To be asked of every load and store that is permitted by itself.
 *
 * @param kind  of the pointer
 * @throws Rejection  EINVAL, if the instruction was executed before with a pointer for which it means something else
 */
export function requireOneUse({ accessed, pc }: Machine, kind: number, isLoad: boolean): void {
  const before = accessed[pc] ?? KIND.none;
  if (before === kind) return;
  accessed[pc] = kind;
  if (before === KIND.none) return;
  if (!REWRITTEN.has(baseOf(kind)) && !REWRITTEN.has(baseOf(before))) return;
  if (isLoad && isObjectOrMemory(kind) && isObjectOrMemory(before)) return;
  reject("EINVAL", "same insn cannot be used with different pointers");
}
