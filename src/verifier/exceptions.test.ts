/** Exceptions in certificates: what is thrown goes to a callback that has a root, and what may throw is called with nothing held. */
import { expect, test } from "vitest";
import { assemble } from "../semantics/isa/assemble.ts";
import type { FunctionInfo, Program } from "../semantics/program/program.ts";
import type { Parameter } from "../semantics/program/prototype.ts";
import { checkCertificate } from "./check-certificate.ts";
import { verify } from "./verify.ts";

const NUMBER: Parameter = { type: { kind: "scalar" }, tags: [] };

/** The main function, then those whose labels are given, which take a number; `caught` is its exception callback. */
function program(asm: readonly string[], labels: Readonly<Record<string, "static" | "global">>): Program {
  const code = asm.filter((line) => !line.endsWith(":"));
  const insnOf = (label: string): number =>
    asm.slice(0, asm.indexOf(`${label}:`)).filter((line) => !line.endsWith(":")).length;
  const others = Object.entries(labels).map(
    ([name, linkage], index): FunctionInfo => ({
      insn: insnOf(name),
      name,
      typeId: index + 2,
      linkage,
      prototype: { parameters: [NUMBER], returns: "scalar" },
    }),
  );
  const at = Object.keys(labels).indexOf("caught");
  const named = at < 0 ? [] : [{ name: "caught", typeId: at + 2, linkage: "global" as const }];
  return {
    name: "main",
    type: "sched_cls",
    license: "GPL",
    flags: [],
    insns: assemble(asm.map((line) => line.replace("throw", "call kfunc#0")).join("\n")),
    maps: [],
    lines: [],
    btf: new Uint8Array(),
    kfuncs: code.flatMap((line, insn) => (line === "throw" ? [{ insn, name: "bpf_throw" }] : [])),
    functions: [
      {
        insn: 0,
        name: "main",
        typeId: 1,
        linkage: "global",
        prototype: { parameters: [], returns: "scalar", exceptionCallbacks: named },
      },
      ...others,
    ],
  };
}

const CAUGHT = ["caught:", "r0 = r1", "r0 &= 1", "exit"];
const THROWS = program(["call sub", "r0 = 0", "exit", "sub:", "r1 = 7", "throw", "exit", ...CAUGHT], {
  sub: "static",
  caught: "global",
});

test("what is thrown costs as much as the callback, which has a root before it", () => {
  const verdict = verify(THROWS);
  if (verdict.verdict !== "accept") throw new Error(JSON.stringify(verdict));
  // The call, two instructions of the function, three of the callback.
  expect(verdict.longestRun).toBe(6n);
  const { nodes, roots } = verdict.certificate;
  expect(roots.map((root) => nodes[root]?.pc)).toEqual([6]);
  expect(checkCertificate(THROWS, { nodes, roots: [] })).toMatchObject({
    ok: false,
    reason: "insn 4: the function at insn 6 has no earlier root",
  });
});

test("a certificate without exceptions is none for a program with one", () => {
  const quiet = { ...THROWS, kfuncs: [] };
  expect(verify(quiet)).toMatchObject({ verdict: "unsupported" });
  const verdict = verify(THROWS);
  if (verdict.verdict !== "accept") throw new Error(JSON.stringify(verdict));
  const uncaught = { ...THROWS, functions: THROWS.functions.map(({ prototype: _, ...info }) => info) };
  expect(checkCertificate(uncaught, verdict.certificate)).toMatchObject({ ok: false });
});

test.each(["static", "global"] as const)("nothing is held where a %s function may throw", (linkage) => {
  const lock = ["call kfunc#0", "r1 = 0", "call sub", "call kfunc#0", "r0 = 0", "exit"];
  const p = program([...lock, "sub:", "r1 = 7", "throw", "r0 = 0", "exit"], { sub: linkage });
  const kfuncs = [
    ...(p.kfuncs ?? []),
    { insn: 0, name: "bpf_rcu_read_lock" },
    { insn: 3, name: "bpf_rcu_read_unlock" },
  ];
  expect(verify({ ...p, kfuncs })).toMatchObject({
    verdict: "reject",
    message: expect.stringMatching(/^bpf_throw.* cannot be used inside bpf_rcu_read_lock-ed region$/),
  });
});
