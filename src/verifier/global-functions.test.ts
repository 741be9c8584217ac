/** Global functions and what timers call, in verdicts and certificates: each has a root that stands for all its runs, and no certificate does without. */
import { expect, test } from "vitest";
import { allocate, reset } from "../absint/arena.ts";
import { setConstant, setNone } from "../absint/register.ts";
import { fromBytes, registerAt, setCallback, toBytes } from "../absint/state.ts";
import { assemble } from "../semantics/isa/assemble.ts";
import { DEFAULT_RULES } from "../semantics/profile/rules.ts";
import type { Program } from "../semantics/program/program.ts";
import type { Parameter } from "../semantics/program/prototype.ts";
import type { Certificate, CertificateNode } from "./certificate.ts";
import { checkCertificate } from "./check-certificate.ts";
import { explain } from "./explain/explain.ts";
import { verify } from "./verify.ts";

const NUMBER: Parameter = { type: { kind: "scalar" }, tags: [] };
const PAIR: Parameter = {
  type: { kind: "pointer", to: { kind: "STRUCT", name: "pair", size: 16 } },
  tags: [],
};

/** The main function, then others, which are global and take the given parameters. */
function program(asm: readonly string[], functions: Readonly<Record<string, readonly Parameter[]>>): Program {
  const insnOf = (label: string): number =>
    asm.slice(0, asm.indexOf(`${label}:`)).filter((line) => !line.endsWith(":")).length;
  return {
    name: "main",
    type: "xdp",
    license: "GPL",
    flags: [],
    insns: assemble(asm.join("\n"), { maps: [{ name: "first" }, { name: "second" }] }),
    maps: [],
    lines: [],
    btf: new Uint8Array(),
    functions: [
      { insn: 0, name: "main", typeId: 1, linkage: "global" },
      ...Object.entries(functions).map(([name, parameters]) => ({
        insn: insnOf(name),
        name,
        typeId: 1,
        linkage: "global" as const,
        prototype: { parameters, returns: "scalar" as const },
      })),
    ],
  };
}

const certificateOf = (p: Program): Certificate => {
  const verdict = verify(p);
  if (verdict.verdict !== "accept") throw new Error(JSON.stringify(verdict));
  return verdict.certificate;
};

/** A loop that goes on as long as its argument says, called twice. */
const TWICE = program(
  [
    "r1 = 3",
    "call count",
    "r1 = 4",
    "call count",
    "r0 = 1",
    "exit",
    "count:",
    "r0 = 0",
    "if r1 > 9 goto end",
    "again:",
    "if r0 >= r1 goto end",
    "r0 += 1",
    "goto again",
    "end:",
    "exit",
  ],
  { count: [NUMBER] },
);

test("a call costs as much as the longest run of the function from its root", () => {
  const { nodes, roots } = certificateOf(TWICE);
  expect(roots.map((root) => nodes[root]?.pc)).toEqual([6]);
  // The loop runs 9 times at most, 3 instructions each, with 4 around; main has 6.
  expect(verify(TWICE)).toMatchObject({ longestRun: 6n + 2n * (4n + 9n * 3n) });
});

test("a certificate without the root, with a foreign one, or with two is refused", () => {
  const { nodes, roots } = certificateOf(TWICE);
  const [root = -1] = roots;
  expect(checkCertificate(TWICE, { nodes, roots })).toMatchObject({ ok: true });
  expect(checkCertificate(TWICE, { nodes, roots: [] })).toMatchObject({
    ok: false,
    reason: expect.stringContaining("has no earlier root"),
  });
  for (const wrong of [
    [root, root],
    [root, nodes.length - 1],
    [root, nodes.length],
    [root, -1],
    [0.5, root],
  ]) {
    expect(checkCertificate(TWICE, { nodes, roots: wrong })).toMatchObject({ ok: false });
  }
  const elsewhere = nodes.findIndex(({ pc }) => pc !== 6 && pc !== 0);
  expect(checkCertificate(TWICE, { nodes, roots: [elsewhere] })).toMatchObject({ ok: false });
});

/** The node with a change in its state. */
function changed(node: CertificateNode | undefined, change: (state: number) => void): CertificateNode {
  if (node === undefined) throw new Error("a node");
  reset();
  const at = allocate(node.state.length);
  fromBytes(node.state, at);
  change(at);
  return { ...node, state: toBytes(at) };
}

test("a root that says more than the prototype is refused, whoever calls", () => {
  const { nodes, roots } = certificateOf(TWICE);
  const [root = -1] = roots;
  const narrow = changed(nodes[root], (state) => setConstant(registerAt(state, 0, 1), 3, 0));
  expect(checkCertificate(TWICE, { nodes: nodes.with(root, narrow), roots })).toMatchObject({
    ok: false,
    node: root,
    reason: "it does not cover the state that the function starts in",
  });
  const wide = changed(nodes[root], (state) => setNone(registerAt(state, 0, 1)));
  expect(checkCertificate(TWICE, { nodes: nodes.with(root, wide), roots })).toMatchObject({ ok: false });
});

test("a root must come before the calls of its function", () => {
  const p = program(["r1 = 1", "call sub", "r0 &= 1", "exit", "sub:", "r0 = r1", "exit"], { sub: [NUMBER] });
  const { nodes, roots } = certificateOf(p);
  expect(roots).toEqual([0]);
  const [callee, main] = [nodes[0], nodes.at(-1)];
  if (callee === undefined || main === undefined) throw new Error("nodes");
  const alone = { ...main, edges: [] };
  expect(checkCertificate(p, { nodes: [callee, alone], roots: [0] })).toMatchObject({ ok: true });
  const late = { nodes: [alone, callee, alone], roots: [1] };
  expect(checkCertificate(p, late)).toMatchObject({ ok: false, node: 0 });
});

test("no certificate proves a function that calls itself", () => {
  const p = program(
    [
      "r1 = 1",
      "call sub",
      "r0 = 1",
      "exit",
      "sub:",
      "if r1 == 0 goto end",
      "r1 = 0",
      "call sub",
      "end:",
      "r0 = 0",
      "exit",
    ],
    { sub: [NUMBER] },
  );
  const { profile } = DEFAULT_RULES;
  expect(verify(p)).toMatchObject({
    verdict: "reject",
    errno: "EINVAL",
    message: "recursive call from sub() to sub()",
  });
  // Of a kernel that does not look for recursion the depth of calls ends it.
  const words = profile.words.filter((word) => word !== "recursion");
  const rules = { profile: { ...profile, words } };
  expect(verify(p, undefined, rules)).toMatchObject({ verdict: "reject", errno: "E2BIG" });
});

test("the path of a refusal begins where the function does", () => {
  const p = program(
    ["r1 = 0", "call sub", "r0 = 1", "exit", "sub:", "r2 = r1", "r0 = *(u64 *)(r2 +0)", "exit"],
    { sub: [PAIR] },
  );
  const verdict = verify(p);
  expect(verdict).toMatchObject({ verdict: "reject", path: [4, 5], insn: 5 });
  if (verdict.verdict !== "reject") throw new Error("rejected");
  expect(explain(p, verdict)).toMatchObject({ subject: "R2", known: expect.stringContaining("mem_or_null") });
});

test("functions that are called where no path leads are not looked at", () => {
  const p = program(
    [
      "r0 = 1",
      "if r0 == 1 goto end",
      "r1 = 0",
      "call sub",
      "end:",
      "exit",
      "sub:",
      "r0 = *(u64 *)(r1 +0)",
      "exit",
    ],
    { sub: [NUMBER] },
  );
  expect(certificateOf(p).roots).toEqual([]);
});

/** The callback of a timer, which sets itself again. */
const TIMER: Program = {
  ...program(
    [
      "*(u32 *)(r10 -4) = 0",
      "r2 = r10",
      "r2 += -4",
      "r1 = map[0]",
      "call bpf_map_lookup_elem",
      "if r0 == 0 goto end",
      "r1 = r0",
      "r2 = func fired",
      "call bpf_timer_set_callback",
      "end:",
      "r0 = 1",
      "exit",
      "fired:",
      "r1 = r3",
      "r2 = func fired",
      "call bpf_timer_set_callback",
      "r0 = 0",
      "exit",
    ],
    {},
  ),
  maps: ["first", "second"].map((name) => ({
    name,
    type: "array",
    keySize: 4,
    valueSize: 16,
    maxEntries: 1,
    flags: 0,
    fields: [{ kind: "timer", offset: 0 }],
  })),
  functions: [
    { insn: 0, name: "main", typeId: 1, linkage: "global" },
    { insn: 13, name: "fired", typeId: 1, linkage: "static" },
  ],
};

test("what a timer calls has a root for the map of the timer", () => {
  const { nodes, roots } = certificateOf(TIMER);
  expect(roots.map((root) => nodes[root]?.pc)).toEqual([13]);
  const [root = -1] = roots;
  expect(checkCertificate(TIMER, { nodes, roots: [] })).toMatchObject({
    ok: false,
    reason: "the timer's function at insn 13 has no root",
  });
  const other = changed(nodes[root], (state) => setCallback(state, 0, 4, 1));
  expect(checkCertificate(TIMER, { nodes: nodes.with(root, other), roots })).toMatchObject({ ok: false });
  const none = changed(nodes[root], (state) => setCallback(state, 0, 4, 2));
  expect(checkCertificate(TIMER, { nodes: nodes.with(root, none), roots })).toMatchObject({ ok: false });
});

test("what a timer calls does not ask who has called the program", () => {
  const asm = [
    "*(u32 *)(r10 -4) = 0",
    "r2 = r10",
    "r2 += -4",
    "r1 = map[0]",
    "call bpf_map_lookup_elem",
    "if r0 == 0 goto end",
    "r1 = r0",
    "r2 = func fired",
    "call bpf_timer_set_callback",
    "end:",
    "r0 = 1",
    "exit",
    "fired:",
    "call ask",
    "r0 = 0",
    "exit",
    "ask:",
    "r1 = 0",
    "r2 = 0",
    "call bpf_redirect",
    "exit",
  ];
  const { functions, maps } = TIMER;
  for (const linkage of ["static", "global"] as const) {
    const p = { ...program(asm, { ask: [] }), maps };
    const ask = { ...p.functions[1], insn: 16, name: "ask", linkage };
    expect(verify({ ...p, functions: [...functions, ask] })).toMatchObject({
      verdict: "unsupported",
      feature: expect.stringMatching(/timer/),
    });
  }
});
