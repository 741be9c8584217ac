/**
 * Arenas: memory of up to 4 GiB that a program shares with user space. A pointer into one is any number: an access takes its low 32 bits for the place,
 * and where there is no memory a load gives 0 and a store is lost. So nothing is to be checked of an access, and nothing is known of what is loaded.
 *
 * The kernel turns loads and stores into other instructions where the pointer is one into an arena, and 64-bit arithmetic into 32-bit. So one
 * instruction has to be the one or the other on all paths. Of loads and stores the kernel sees to that (one-use.ts); of arithmetic it does not
 * (Linux 6.18), and computes in 32 bits what on another path is a number of 64.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { AtomicOp, Instruction } from "../../semantics/isa/instruction.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import { KIND, kindOf, setKind, setUnknown } from "../register.ts";
import { type Machine, readable, writable } from "./machine.ts";
import { reject } from "./rejection.ts";

/** `imm` of the instruction: the destination's space in the upper half, the source's in the lower. Arenas are space 1. */
const TO_POINTER = 1;
const TO_USER = 1 << 16;

/** Bytes of a page. */
const PAGE = 4096;

/** Makes the register any pointer into the arena. */
function setArena(at: number): void {
  setUnknown(at);
  setKind(at, KIND.arena);
}

/** Whatever is cast may be accessed; what is cast back is a number, and an address to user space. */
export function castAddressSpace(m: Machine, insn: Instruction): void {
  const { imm, src, dst } = insn;
  if (imm !== TO_POINTER && imm !== TO_USER) {
    reject("EINVAL", "addr_space_cast insn can only convert between address space 1 and 0");
  }
  if (m.arenaUses === undefined) {
    reject("EINVAL", "addr_space_cast insn can only be used in a program that has an associated arena");
  }
  readable(m, src);
  const to = writable(m, dst);
  if (imm === TO_POINTER) setArena(to);
  else setUnknown(to);
}

/**
 * Arithmetic with a pointer into the arena gives one, whatever the operation and the other operand.
 *
 * @returns whether it was such arithmetic; if so it is done
 */
export function arenaArithmetic(m: Machine, wide: boolean, destination: number, source: number): boolean {
  if (m.arenaUses === undefined) return false;
  const isArena = kindOf(destination) === KIND.arena || kindOf(source) === KIND.arena;
  if (wide && !isOneUse(m, isArena)) {
    reject("EINVAL", "64-bit arithmetic on arena pointers and on other values by the same insn");
  }
  if (isArena) setArena(destination);
  return isArena;
}

function isOneUse({ arenaUses, pc }: Machine, isArena: boolean): boolean {
  const before = arenaUses?.get(pc);
  arenaUses?.set(pc, isArena);
  return before === undefined || before === isArena;
}

const WITHOUT_RESULT: ReadonlySet<AtomicOp> = new Set(["and", "or", "xor"]);

/** Atomic instructions on an arena are those that the kernel's compiler knows for its processor. */
export function requireArenaAtomic({ profile }: Machine, number: number, op: AtomicOp, fetch: boolean): void {
  if (profile.arch !== "x64") throw new Unsupported(`atomic operations on arenas on ${profile.arch}`);
  if (fetch && WITHOUT_RESULT.has(op)) {
    reject("EACCES", `BPF_ATOMIC stores into R${number} arena is not allowed`);
  }
}

/** The address of a place in the arena, as user space sees it: to the program a number until it is cast. */
export function loadArenaValue({ maxEntries }: MapDefinition, off: number, to: number): void {
  if (off > maxEntries * PAGE) {
    reject("ERANGE", `invalid access to map value pointer, value_size=0 off=${off}`);
  }
  setUnknown(to);
}
