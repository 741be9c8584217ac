/**
 * A campaign against a kernel's verifier: a guest (`linux-6.1`, `linux-6.19.10`), or the running kernel (`linux`), which gets plain programs only. It goes on
 * where the last one in the folder was saved, and prints what it comes to.
 *
 *     npx tsx scripts/kernel-campaign.ts KERNEL [--seconds N] [--programs N] [--seed S] [--folder FOLDER] [--source probes|generated]
 *
 * Exit status 1 if the folder holds a finding.
 */
import { parseArgs } from "node:util";
import { programOfSeed } from "../src/campaign/generate/program.ts";
import { kernelCampaign, versionOf } from "../src/campaign/kernels/campaign.ts";
import { probe } from "../src/campaign/kernels/probe.ts";
import { CALLEE_STEPS, PLAIN_STEPS, PROBE_STEPS } from "../src/campaign/kernels/probe-steps.ts";
import { type KernelState, KernelStore } from "../src/campaign/kernels/store.ts";
import { startGuest } from "../src/cli/guest.ts";
import { type OpenKernel, openKernel } from "../src/cli/kernels.ts";
import { lastingGuest } from "../src/oracle/guest/lasting.ts";
import { profileOfRelease } from "../src/oracle/profiles.ts";
import type { Program } from "../src/semantics/program/program.ts";
import { verify } from "../src/verifier/verify.ts";

const text = { type: "string" } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: text, programs: text, seed: text, folder: text, source: text },
});
const [name] = positionals;
if (name === undefined) throw new Error("usage: kernel-campaign.ts KERNEL [--seconds N] [--seed S]");
const { seconds = "600", programs, seed = "1", source = "probes" } = values;
const folder = values.folder ?? `artifacts/kernels/${name}-${source}`;

/** Warnings of a guest's kernel that are looked into; later ones do not end it. */
const WARNINGS = 1;
const running = name === "linux";

/** A guest that a warning ends, until there have been enough of them. */
function openGuest(guestName: string): OpenKernel {
  const guest = lastingGuest(() => {
    const calm = guest.failures().length >= WARNINGS;
    return startGuest(guestName, calm ? { settings: [["kernel.panic_on_warn", "0"]] } : {});
  });
  return { kernel: guest.kernel, close: guest.stop };
}

const opened = running ? openKernel(name) : openGuest(name);
const { release } = opened.kernel();
const version = versionOf(release);
const steps = running ? PLAIN_STEPS : PROBE_STEPS;
const calleeSteps = running ? [] : CALLEE_STEPS;
const rules = { profile: profileOfRelease(release) };

const isVerified = (program: Program): boolean =>
  verify(program, undefined, rules, 20_000).verdict === "accept";

/** Seconds between lines. */
const LINES = 20;
let printed = 0;
function progress(state: KernelState): void {
  if (state.seconds - printed < LINES) return;
  printed = state.seconds;
  const rate = (state.programs / state.seconds).toFixed(0);
  const found = Object.values(state.met).reduce((sum, met) => sum + met, 0);
  console.error(
    `${state.seconds.toFixed(0)} s: ${state.programs} programs (${rate}/s), ${state.accepted} accepted, ${state.runs} runs, ${found} violations, ${state.findings.length} kept, ${state.guests} guests`,
  );
}

try {
  const state = kernelCampaign({
    kernel: opened.kernel,
    store: new KernelStore(folder),
    programOf: (each) =>
      source === "generated" ? programOfSeed(each) : probe(each, { steps, calleeSteps, version }),
    seed: Number(seed),
    seconds: Number(seconds),
    ...(programs === undefined ? {} : { programs: Number(programs) }),
    rules,
    ...(running ? { mayRun: isVerified } : {}),
    now: () => performance.now() / 1000,
    progress,
  });
  const { verdicts, met, findings, ...sums } = state;
  console.log(sums);
  const byCount = (counts: Readonly<Record<string, number>>): unknown =>
    Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
  console.log("ours / theirs:", byCount(verdicts));
  console.log("violations:", byCount(met));
  for (const { key, message, instructions, program } of findings)
    console.log(`${key}: ${message} (${instructions} instructions: ${folder}/${program})`);
  process.exitCode = findings.length > 0 ? 1 : 0;
} finally {
  opened.close();
}
