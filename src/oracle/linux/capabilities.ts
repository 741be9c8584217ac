/**
 * System calls made with fewer capabilities than this process has: the effective ones are put down for the time of one call. So one kernel can
 * be asked what it says to loaders of all kinds.
 */
import { Unsupported } from "../../semantics/errors.ts";
import type { Capability } from "../../semantics/program/privileges.ts";
import { type Argument, call, type Kernel, type Outcome, type SystemCall } from "./calls.ts";
import { errnoText } from "./errno.ts";

/** capget(2) and capset(2) by Node's name of the architecture, and the version of their structures (linux/capability.h). */
const NUMBERS: Readonly<Record<string, readonly [get: number, set: number]>> = {
  x64: [125, 126],
  arm64: [90, 91],
};
const VERSION = 0x20080522;

/** Bits of the capabilities (linux/capability.h). */
const BITS: Readonly<Record<Capability, number>> = {
  cap_net_admin: 12,
  cap_sys_admin: 21,
  cap_perfmon: 38,
  cap_bpf: 39,
};

/** Whether anybody may load programs: the kernel's setting, which may be 1 or 2 instead. */
const SETTING = "/proc/sys/kernel/unprivileged_bpf_disabled";

/** The calls that change the effective capabilities: down to these of those above, and up again to what they were. */
function changes(
  kernel: Kernel,
  capabilities: readonly Capability[],
): readonly [down: SystemCall, up: SystemCall] {
  const numbers = NUMBERS[kernel.arch];
  if (numbers === undefined) throw new Unsupported(`capabilities on ${kernel.arch}`);
  const [get, set] = numbers;
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, VERSION, true);
  const own = new Uint8Array(24);
  const read = call(kernel, get, [
    { bytes: header, back: "nothing" },
    { bytes: own, back: "all" },
  ]);
  if (read.result !== 0) throw new Unsupported("capabilities of this process");
  const change = (data: Uint8Array): SystemCall => ({
    number: set,
    arguments: [
      { bytes: header, back: "nothing" },
      { bytes: data, back: "nothing" },
    ],
  });
  const fewer = own.slice();
  const words = new DataView(fewer.buffer);
  for (const [capability, bit] of Object.entries(BITS)) {
    if (capabilities.some((kept) => kept === capability)) continue;
    // Three words for the capabilities below 32, effective first, then three for the others.
    const at = bit < 32 ? 0 : 12;
    words.setUint32(at, words.getUint32(at, true) & ~(1 << (bit & 31)), true);
  }
  return [change(fewer), change(own)];
}

/** Puts the process's effective capabilities down to these of those above: later calls are made with them. */
export function putDownCapabilities(kernel: Kernel, capabilities: readonly Capability[]): void {
  const [down] = changes(kernel, capabilities);
  const [outcome] = kernel.calls([down]);
  if (outcome?.result !== 0) throw new Error(`capabilities cannot be changed: ${errnoText("EPERM")}`);
}

/**
 * Makes one call with these capabilities of those above, and none of the others.
 *
 * @throws Unsupported  if the kernel lets nobody without `cap_bpf` load programs
 */
export function callWith(
  kernel: Kernel,
  capabilities: readonly Capability[],
  number: number,
  values: readonly Argument[],
): Outcome {
  if (!capabilities.includes("cap_bpf") && !capabilities.includes("cap_sys_admin")) {
    const setting = new TextDecoder().decode(kernel.readFile(SETTING) ?? new Uint8Array(0)).trim();
    if (setting !== "0") throw new Unsupported(`kernel.unprivileged_bpf_disabled is ${setting}`);
  }
  const [downCall, upCall] = changes(kernel, capabilities);
  const [down, outcome, up] = kernel.calls([downCall, { number, arguments: values }, upCall]);
  if (outcome === undefined || down?.result !== 0 || up?.result !== 0) {
    throw new Error(`capabilities cannot be changed: ${errnoText("EPERM")}`);
  }
  return outcome;
}
