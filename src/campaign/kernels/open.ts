/**
 * Kernels under test, opened. The running one gets probes, whatever is asked for: of these guests of ten versions have loaded more than half a million, and none has suffered from loading one (from running some, on 6.1).
 * It runs only what our verifier accepts.
 */
import { release } from "node:os";
import { lastingGuest } from "../../oracle/guest/lasting.ts";
import { startGuest } from "../../oracle/guest/start.ts";
import type { Kernel } from "../../oracle/linux/calls.ts";
import { kernelAvailable } from "../../oracle/linux/kernel.ts";
import { THIS_MACHINE } from "../../oracle/linux/this-machine.ts";
import { profileOfRelease } from "../../oracle/profiles.ts";
import { InputError } from "../../semantics/errors.ts";
import type { Rules } from "../../semantics/profile/rules.ts";
import type { Program } from "../../semantics/program/program.ts";
import { verify } from "../../verifier/verify.ts";
import { checkKernelName, RUNNING, versionOf } from "./names.ts";
import { probe } from "./probe.ts";
import { CALLEE_STEPS, PROBE_STEPS } from "./probe-steps.ts";

/** Warnings of a guest's kernel that are looked into; later ones do not end it. */
const WARNINGS = 1;
/** Instructions that our verifier processes at most before a program may run here. */
const LIMIT = 20_000;

/** The program of a seed for the kernel of a name: equal seeds give equal ones for kernels of one version. */
export function probeFor(name: string, seed: number): Program {
  const version = versionOf(name === RUNNING ? release() : name.slice(RUNNING.length + 1));
  return probe(seed, { steps: PROBE_STEPS, calleeSteps: CALLEE_STEPS, version });
}

/** A kernel for as long as a campaign works with it. */
export interface UnderTest {
  /** The one that is up; another one after a failure. */
  readonly kernel: () => Kernel;
  /** By what our verifier judges. */
  readonly rules: Rules;
  readonly version: number;
  /** What may run in the kernel, beside what did not fault in the machine. */
  readonly mayRun: (program: Program) => boolean;
  readonly close: () => void;
}

/** @throws InputError  for a kernel that cannot be had or asked, with the reason in one line; `GuestFailure` for one that does not come up */
export function openUnderTest(name: string): UnderTest {
  checkKernelName(name);
  const { kernel, close } = name === RUNNING ? openRunning() : openGuest(name);
  const version = versionOf(kernel().release);
  const rules = { profile: profileOfRelease(kernel().release) };
  const isVerified = (program: Program): boolean =>
    verify(program, undefined, rules, LIMIT).verdict === "accept";
  return { kernel, close, version, rules, mayRun: name === RUNNING ? isVerified : () => true };
}

type Open = Pick<UnderTest, "kernel" | "close">;

function openRunning(): Open {
  const state = kernelAvailable();
  if (!state.ok) throw new InputError(`the running kernel cannot be asked: ${state.reason}`);
  return { kernel: () => THIS_MACHINE, close: () => undefined };
}

/** A guest that a warning ends, until there have been enough of them. */
function openGuest(name: string): Open {
  const guest = lastingGuest(() => {
    const calm = guest.failures().length >= WARNINGS;
    return startGuest(name, calm ? { settings: [["kernel.panic_on_warn", "0"]] } : {});
  });
  guest.kernel();
  return { kernel: guest.kernel, close: guest.stop };
}
