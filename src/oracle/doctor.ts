/** What this machine offers to soundcheck, each with what is missing if it is not there. Nothing listed here is required. */
import { accessSync, constants } from "node:fs";
import { arch, release } from "node:os";
import { delimiter, join } from "node:path";
import { InputError } from "../semantics/errors.ts";
import { kvmProblem } from "./guest/guest.ts";
import { cachedImages, guestCache } from "./guest/image.ts";
import { kernelAvailable } from "./linux/kernel.ts";
import { KERNEL_BTF } from "./linux/object-options.ts";
import { syscallProblem } from "./linux/this-machine.ts";

export interface DoctorFact {
  readonly name: string;
  readonly ok: boolean;
  /** One line: a version, a path, or the reason and what would help. */
  readonly detail: string;
}

/** Programs that some commands and scripts use, with what for; of several names the first one found counts. */
const PROGRAMS: readonly (readonly [name: string, candidates: readonly string[], use: string])[] = [
  [
    "clang",
    ["clang", "clang-22", "clang-19", "clang-18", "clang-16", "clang-15", "clang-14"],
    "compiles the corpus anew",
  ],
  [
    "llvm-objdump",
    ["llvm-objdump", "llvm-objdump-22", "llvm-objdump-19", "llvm-objdump-16", "llvm-objdump-14"],
    "checks the disassembler",
  ],
  ["bpftool", ["bpftool"], "checks the BTF reader"],
  ["qemu", ["qemu-system-x86_64", "qemu-system-aarch64"], "runs other kernels as guests"],
  ["z3", ["z3"], "gives a second opinion on proofs"],
];

/** Looks, and tries the kernel by loading a program of two instructions. @param environment `PATH`, and where caches are */
export function doctorFacts(environment: Readonly<Record<string, string | undefined>>): DoctorFact[] {
  return [
    kernelFact(),
    koffiFact(),
    syscallFact(),
    btfFact(),
    ...PROGRAMS.map((row) => programFact(row, environment["PATH"] ?? "")),
    ...guestFacts(environment),
  ];
}

function guestFacts(environment: Readonly<Record<string, string | undefined>>): DoctorFact[] {
  try {
    const cache = guestCache(environment);
    const here = cachedImages(cache).map(({ release }) => release);
    const problem = kvmProblem(cache);
    const kvm =
      problem === undefined ? "is tried for guests" : `${problem}: guests are translated, which is slow`;
    const none = "none is here (soundcheck guest fetch linux-6.1)";
    return [
      { name: "guest kernels", ok: here.length > 0, detail: here.length > 0 ? here.join(", ") : none },
      { name: "KVM", ok: problem === undefined, detail: kvm },
    ];
  } catch (error) {
    if (error instanceof InputError) return [{ name: "guest kernels", ok: false, detail: error.message }];
    throw error;
  }
}

function kernelFact(): DoctorFact {
  const linux = process.platform === "linux";
  return { name: "kernel", ok: linux, detail: `${process.platform} ${release()} (${arch()})` };
}

function koffiFact(): DoctorFact {
  const problem = syscallProblem();
  return { name: "koffi", ok: problem === undefined, detail: problem ?? "calls bpf(2)" };
}

function syscallFact(): DoctorFact {
  const kernel = kernelAvailable();
  return { name: "bpf(2)", ok: kernel.ok, detail: kernel.ok ? "loads programs" : kernel.reason };
}

function btfFact(): DoctorFact {
  const ok = readable(KERNEL_BTF);
  return { name: "kernel BTF", ok, detail: ok ? KERNEL_BTF : `${KERNEL_BTF} is not there or not readable` };
}

function programFact([name, candidates, use]: (typeof PROGRAMS)[number], path: string): DoctorFact {
  const directories = path.split(delimiter).filter((directory) => directory !== "");
  for (const candidate of candidates) {
    const found = directories.map((directory) => join(directory, candidate)).find(executable);
    if (found !== undefined) return { name, ok: true, detail: found };
  }
  return { name, ok: false, detail: `not on PATH (${use})` };
}

function executable(file: string): boolean {
  return accessible(file, constants.X_OK);
}

function readable(file: string): boolean {
  return accessible(file, constants.R_OK);
}

function accessible(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}
