/** The system call bpf(2): its number, and its commands, which `src/semantics/abi` describes. */
export { COMMANDS, type Command, type Field, type FieldOf } from "../../semantics/abi/bpf-commands.ts";

/** The number of bpf(2) in the system call table, by Node's name of the architecture; little-endian 64-bit ones only. */
export const SYSCALL_NUMBERS: Readonly<Record<string, number>> = {
  x64: 321,
  arm64: 280,
  riscv64: 280,
  loong64: 280,
};
