/** Which helpers a program's loader needs capabilities for: the same call, loaded with fewer of them. */
import { Unsupported } from "../../../semantics/errors.ts";
import { rangesOf } from "../../../semantics/profile/lookup.ts";
import type { NeededCapabilities } from "../../../semantics/profile/profile.ts";
import type { Capability } from "../../../semantics/program/privileges.ts";
import type { Kernel } from "../calls.ts";
import { loadRaw } from "../load.ts";
import { FORBIDDEN } from "./permissions.ts";
import { callHelper, code, EXIT, insn, type Kind, setImm } from "./program.ts";

/** A kind and the helpers that its programs may call if their loader has all capabilities. */
export interface AllowedKind {
  readonly kind: Kind;
  readonly allowed: readonly number[];
}

/** With these a program of nearly every type is looked at. */
const WITHOUT_PERFMON: readonly Capability[] = ["cap_bpf", "cap_net_admin"];
const WITHOUT_BPF: readonly Capability[] = ["cap_perfmon", "cap_net_admin"];

/**
 * Asks for every helper and kind of program.
 *
 * @returns undefined if nobody without `cap_bpf` may load programs at all, or if the kernel's rules for them are not those that are modelled
 */
export function probeCapabilities(
  kernel: Kernel,
  kinds: readonly AllowedKind[],
): NeededCapabilities | undefined {
  try {
    if (!permitsGuesses(kernel)) return undefined;
    return {
      bpf: lost(kernel, kinds, WITHOUT_BPF),
      perfmon: lost(kernel, kinds, WITHOUT_PERFMON),
    };
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

type Answer = "accepted" | "forbidden" | "refused" | "nobody";

function say(
  kernel: Kernel,
  { type, attach, sleepable, retval }: Kind,
  privileges: readonly Capability[],
  insns: readonly Uint8Array[],
): Answer {
  const program = {
    type,
    privileges,
    insns: code([...insns, setImm(0, retval), EXIT]),
    ...(attach === undefined ? {} : { attach }),
    ...(sleepable === undefined ? {} : { flags: ["sleepable"] as const }),
  };
  const result = loadRaw(program, { kernel });
  if (result.verdict === "accept") {
    result.close();
    return "accepted";
  }
  if (result.log === "") return "nobody";
  return result.log.split("\n").some((line) => FORBIDDEN.test(line)) ? "forbidden" : "refused";
}

const FILTER: Kind = { type: "socket_filter", retval: 0 };

/** Code that only a processor's guess leads to is let be: the kernel puts a barrier before it. */
function permitsGuesses(kernel: Kernel): boolean {
  const guess = [setImm(1, 0), insn(0x15, 1, 0, 1, 0), insn(0x79, 2, 1)];
  return say(kernel, FILTER, ["cap_bpf"], guess) === "accepted";
}

/** Helpers that are gone without the other capabilities, in any kind that still loads. */
function lost(kernel: Kernel, kinds: readonly AllowedKind[], kept: readonly Capability[]): string {
  const found = new Set<number>();
  for (const { kind, allowed } of kinds) {
    if (kind.target !== undefined || say(kernel, kind, kept, []) === "nobody") continue;
    for (const id of allowed) {
      if (!found.has(id) && say(kernel, kind, kept, [callHelper(id)]) === "forbidden") found.add(id);
    }
  }
  return rangesOf([...found].sort((a, b) => a - b));
}
