/** Asking as a loader without `cap_bpf`: kernels answer that nobody but the privileged may load programs, unless their setting permits it. */
import { call, type Kernel } from "../calls.ts";
import { closeNumber } from "./program.ts";

/** 0 for everybody; 1 for the privileged, and for good; 2 for the privileged. */
const SETTING = "/proc/sys/kernel/unprivileged_bpf_disabled";

const OPENAT: Readonly<Record<string, number>> = { x64: 257, arm64: 56, riscv64: 56, loong64: 56 };
const WRITE: Readonly<Record<string, number>> = { x64: 1, arm64: 64, riscv64: 64, loong64: 64 };
/** The working directory, of which a whole path makes nothing. */
const AT_FDCWD = -100;
const O_WRONLY = 1;

/** Does the work while the setting is 0, where it can be changed, and puts it back. */
export function asAnyLoader<T>(kernel: Kernel, work: () => T): T {
  const before = new TextDecoder().decode(kernel.readFile(SETTING) ?? new Uint8Array(0)).trim();
  if (before === "0" || before === "") return work();
  write(kernel, "0");
  try {
    return work();
  } finally {
    write(kernel, before);
  }
}

/** A failure shows in the answers that follow. */
function write(kernel: Kernel, value: string): void {
  const [openat, writing] = [OPENAT[kernel.arch], WRITE[kernel.arch]];
  if (openat === undefined || writing === undefined) return;
  const text = (content: string): { bytes: Uint8Array; back: "nothing" } => ({
    bytes: new TextEncoder().encode(content),
    back: "nothing",
  });
  const { result } = call(kernel, openat, [AT_FDCWD, text(`${SETTING}\0`), O_WRONLY, 0]);
  if (result < 0) return;
  call(kernel, writing, [result, text(value), value.length]);
  call(kernel, closeNumber(kernel), [result]);
}
