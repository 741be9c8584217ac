/** What might take a kernel down never gets to the running one, whoever asks; a guest is asked. */
import { describe, expect, it } from "vitest";
import type { Kernel, SystemCall } from "../../oracle/linux/calls.ts";
import { THIS_MACHINE } from "../../oracle/linux/this-machine.ts";
import { assemble } from "../../semantics/isa/assemble.ts";
import type { Program } from "../../semantics/program/program.ts";
import { programOfSeed } from "../generate/program.ts";
import { Asking } from "./ask.ts";
import { hazardOf } from "./hazard.ts";

function program(...asm: readonly string[]): Program {
  const rest = { license: "GPL", flags: [], maps: [], lines: [], functions: [] };
  return { name: "test", type: "socket_filter", insns: assemble(asm.join("\n"), { maps: [] }), ...rest };
}

const LEGACY = ["r6 = r1", "r0 = *(u8 *)skb[0]"];
const CALLED = ["call f", "exit", "f:", "r0 = 0", "exit"];
const both = program(...LEGACY, ...CALLED);

/** A kernel that says of everything that it may not, and counts the loads. */
function refusing(name: string): { readonly kernel: Kernel; readonly loads: () => number } {
  let loads = 0;
  const calls = (list: readonly SystemCall[]): ReturnType<Kernel["calls"]> => {
    loads += list.length;
    return list.map(() => ({ result: -1, errno: 1 }));
  };
  return { kernel: { ...THIS_MACHINE, name, arch: "x64", calls }, loads: () => loads };
}

describe("legacy packet loads together with functions", () => {
  it("are a hazard, and neither is alone", () => {
    expect(hazardOf(both)).toBe("legacy packet loads together with functions");
    expect(hazardOf(program(...LEGACY, "exit"))).toBeUndefined();
    expect(hazardOf(program(...CALLED))).toBeUndefined();
  });

  it("do not get to the running kernel, and the others do, each with its own answer", () => {
    const { kernel, loads } = refusing(THIS_MACHINE.name);
    const answers = new Asking(kernel).load([program(...CALLED), both, program(...LEGACY, "exit")]);
    expect(answers.map(({ verdict }) => verdict)).toEqual(["reject", "withheld", "reject"]);
    expect(loads()).toBe(2);
  });

  it("get to a guest", () => {
    const { kernel, loads } = refusing("linux-6.1");
    expect(new Asking(kernel).load([both])[0]?.verdict).toBe("reject");
    expect(loads()).toBe(1);
  });

  it("are found in generated programs", () => {
    const seeds = Array.from({ length: 1000 }, (_, i) => 1 + i);
    expect(seeds.some((seed) => hazardOf(programOfSeed(seed)) !== undefined)).toBe(true);
  });
});
