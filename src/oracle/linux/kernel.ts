/** Whether there is a kernel to ask. Everything else in this folder may be called only if `kernelAvailable` says so. */
import { existsSync } from "node:fs";
import { endianness } from "node:os";
import { loadRaw } from "./load.ts";
import { KERNEL_BTF } from "./object-options.ts";
import { syscallProblem, THIS_MACHINE } from "./this-machine.ts";

export type KernelState =
  | {
      readonly ok: true;
      /** `6.18.44`, as uname(2) says. */
      readonly release: string;
      /** Whether the kernel tells its own types (/sys/kernel/btf/vmlinux). */
      readonly btf: boolean;
    }
  | { readonly ok: false; readonly reason: string };

/** `r0 = 0; exit`. */
const SMALLEST = new Uint8Array([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);

let state: KernelState | undefined;

/** Tries the running kernel once, by loading a program of two instructions; the reason is one line. */
export function kernelAvailable(): KernelState {
  state ??= findOut();
  return state;
}

function findOut(): KernelState {
  const problem = syscallProblem();
  if (problem !== undefined) return { ok: false, reason: `no bpf(2): ${problem}` };
  if (endianness() !== "LE") return { ok: false, reason: "no bpf(2): big-endian machines are not supported" };
  const smallest = loadRaw({ type: "socket_filter", insns: SMALLEST }, { logLevel: 0 });
  if (smallest.verdict === "reject") {
    const root = smallest.errno === "EPERM" ? "; loading programs takes root, or CAP_BPF and more" : "";
    return { ok: false, reason: `no bpf(2): ${smallest.message}${root}` };
  }
  smallest.close();
  return { ok: true, release: THIS_MACHINE.release, btf: existsSync(KERNEL_BTF) };
}
