/**
 * Filters of system calls (seccomp(2)): their data, which takes the packet's place, and what their results mean. Source: linux/seccomp.h.
 */
import { zext } from "../term/build.ts";
import type { Operation } from "./instruction.ts";
import { LOADED } from "./variables.ts";

/** Bytes of `struct seccomp_data`: number, architecture, instruction pointer and six arguments. */
export const SECCOMP_DATA_SIZE = 64;

/** What a load of a word means: a number in the machine's own order, and it is always there. */
export const SECCOMP_LOAD: Operation = { kind: "set", to: "a", result: zext(32, LOADED[4]) };

/** A system call about to be made. */
export interface SystemCallData {
  /** 32 bits. */
  readonly nr: number;
  /** AUDIT_ARCH_*, 32 bits. */
  readonly arch: number;
  readonly instructionPointer: bigint;
  /** Six at most, of 64 bits; those left out are 0. */
  readonly args: readonly bigint[];
}

/** The call as a filter reads it (little-endian). */
export function seccompData({ nr, arch, instructionPointer, args }: SystemCallData): Uint8Array {
  const bytes = new Uint8Array(SECCOMP_DATA_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, nr, true);
  view.setUint32(4, arch, true);
  view.setBigUint64(8, BigInt.asUintN(64, instructionPointer), true);
  for (const [index, arg] of args.slice(0, 6).entries()) {
    view.setBigUint64(16 + 8 * index, BigInt.asUintN(64, arg), true);
  }
  return bytes;
}

/** From what takes precedence over all others to what gives way to all. */
export const SECCOMP_ACTIONS = [
  { name: "KILL_PROCESS", value: 0x8000_0000 },
  { name: "KILL_THREAD", value: 0x0000_0000 },
  { name: "TRAP", value: 0x0003_0000 },
  { name: "ERRNO", value: 0x0005_0000 },
  { name: "USER_NOTIF", value: 0x7fc0_0000 },
  { name: "TRACE", value: 0x7ff0_0000 },
  { name: "LOG", value: 0x7ffc_0000 },
  { name: "ALLOW", value: 0x7fff_0000 },
] as const;

export type SeccompActionName = (typeof SECCOMP_ACTIONS)[number]["name"];

export interface SeccompAction {
  readonly name: SeccompActionName;
  /** The low 16 bits: an errno (no more than 4095), what a signal or a tracer is told. */
  readonly data: number;
}

const ACTION_FULL = 0xffff_0000;
const DATA = 0xffff;
const MAX_ERRNO = 4095;

/** What a filter's result means. An action that Linux does not know kills the process. */
export function seccompAction(value: number): SeccompAction {
  const found = SECCOMP_ACTIONS.find((action) => action.value === (value & ACTION_FULL) >>> 0);
  const name = found?.name ?? "KILL_PROCESS";
  const data = value & DATA;
  return { name, data: name === "ERRNO" ? Math.min(data, MAX_ERRNO) : data };
}

/**
 * The result that counts of those that several filters gave: the one whose action, as a signed number, is the least, and of equal actions that of the
 * filter that was installed last. `values` are in the order of installation, one at least.
 */
export function strictest(values: readonly number[]): number {
  let chosen = values.at(-1) ?? 0;
  for (const value of values.toReversed()) {
    if ((value & ACTION_FULL) < (chosen & ACTION_FULL)) chosen = value;
  }
  return chosen >>> 0;
}
