/** A random part of the running kernel's profile, asked again. Where no profile is of its version, there is nothing to ask about. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBtf } from "../../../object/btf.ts";
import { HELPER_NAMES } from "../../../semantics/helpers/names.ts";
import { fieldAt, helperCall, idsOf, kindName } from "../../../semantics/profile/lookup.ts";
import type { ProgramFacts } from "../../../semantics/profile/profile.ts";
import { profileOfRelease } from "../../profiles.ts";
import { kernelAvailable } from "../kernel.ts";
import { KERNEL_BTF } from "../object-options.ts";
import { THIS_MACHINE } from "../this-machine.ts";
import { probeAllowances } from "./allowances.ts";
import { answer } from "./ask.ts";
import { SIZES } from "./fields.ts";
import { openMemory, readSymbols } from "./memory.ts";
import { probeHelper, probeReturns } from "./permissions.ts";
import { insn, type Kind, loadable, loads, setImm } from "./program.ts";
import { readPrototypes } from "./prototypes.ts";
import { probeWords } from "./words.ts";

const kernel = kernelAvailable();
const profile = profileOfRelease(THIS_MACHINE.release);
const same = kernel.ok && THIS_MACHINE.release.startsWith(`${profile.kernel}.`);
if (!same)
  console.log(`skipped: ${kernel.ok ? `no profile of Linux ${THIS_MACHINE.release}` : kernel.reason}`);

/** Kinds that need nothing to attach to. */
const plain = Object.values(profile.programs).filter(({ context }) => context !== undefined);
const anyKind = fc.constantFrom(...plain);
const LOAD = { 1: 0x71, 2: 0x69, 4: 0x61, 8: 0x79 } as const;
const STORE = { 1: 0x73, 2: 0x6b, 4: 0x63, 8: 0x7b } as const;

const bytes = THIS_MACHINE.readFile(KERNEL_BTF);
const btf = bytes === undefined ? undefined : readBtf(bytes, KERNEL_BTF);

/** What a program loads for that stands for a callback. */
function callbackKind(name: string): Pick<Kind, "target" | "callback"> {
  const [struct = "", member] = name.split("/");
  const target = btf?.findKind(struct, "struct");
  const found = target === undefined ? undefined : btf?.type(target);
  if (target === undefined || found?.kind !== "struct") throw new Error(`the kernel has no ${struct}`);
  return { target, callback: { index: found.members.findIndex((m) => m.name === member), name } };
}

function kindOf({ type, attach, callback, sleepable }: ProgramFacts): Kind {
  const found = answer(
    THIS_MACHINE,
    loadable(THIS_MACHINE, {
      type,
      ...(attach === undefined ? {} : { attach }),
      ...(callback === undefined ? {} : callbackKind(callback)),
      ...(sleepable === undefined ? {} : { sleepable }),
    }),
  );
  if (found === undefined) {
    throw new Error(`${kindName(type, attach ?? callback, sleepable === true)} does not load`);
  }
  return found;
}

describe.skipIf(!same)(`the profile of Linux ${profile.kernel}, asked again`, () => {
  it("contexts", () => {
    const access = fc.record({
      facts: anyKind,
      size: fc.constantFrom(...SIZES),
      at: fc.nat(255),
      write: fc.boolean(),
    });
    fc.assert(
      fc.property(access, ({ facts, size, at, write }) => {
        const offset = at - (at % size);
        const context = profile.contexts[facts.context ?? ""];
        if (context === undefined) throw new Error(`no context of ${facts.type}`);
        const insns = write
          ? [setImm(2, 0), insn(STORE[size], 1, 2, offset)]
          : [insn(LOAD[size], 2, 1, offset)];
        const permitted = answer(THIS_MACHINE, loads(THIS_MACHINE, kindOf(facts), insns));
        expect(fieldAt(context, write ? "write" : "read", offset, size) !== undefined).toBe(permitted);
      }),
      { numRuns: 300 },
    );
  });

  it("helpers", () => {
    fc.assert(
      fc.property(anyKind, fc.integer({ min: 1, max: HELPER_NAMES.length - 1 }), (facts, id) => {
        const { allowed, gplOnly } = answer(THIS_MACHINE, probeHelper(THIS_MACHINE, kindOf(facts), id));
        const expected = gplOnly ? "gpl_only" : allowed ? "everybody" : "forbidden";
        expect(helperCall(profile, facts, id)?.permission).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("results", () => {
    fc.assert(
      fc.property(anyKind, (facts) => {
        expect(answer(THIS_MACHINE, probeReturns(THIS_MACHINE, kindOf(facts)))).toEqual(facts.returns);
      }),
      { numRuns: 30 },
    );
  });

  it("what it allows", () => {
    // What loaders without capabilities may do is asked only where everybody may load programs.
    const asked = (what: string): boolean => what !== "null_registers";
    expect(probeAllowances(THIS_MACHINE).filter(asked)).toEqual(profile.allows.filter(asked));
  });

  it("in what words it refuses", () => {
    expect(probeWords(THIS_MACHINE)).toEqual(profile.words);
  });

  it("prototypes, in the kernel's own data", () => {
    const symbols = readSymbols(THIS_MACHINE);
    if (btf === undefined || symbols === undefined) throw new Error("the kernel does not show its data");
    const memory = openMemory(THIS_MACHINE);
    const found = readPrototypes(memory, symbols, btf);
    memory.close();
    const missing = profile.helpers.flatMap(({ name, prototypes }) =>
      prototypes
        .filter((one) => !found.get(one.func)?.some((other) => JSON.stringify(other) === JSON.stringify(one)))
        .map(() => name),
    );
    expect(missing).toEqual([]);
    expect(idsOf(profile.programs["xdp"]?.helpers.everybody ?? "").length).toBeGreaterThan(50);
  });
});
