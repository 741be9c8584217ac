/** An entry that is checked elsewhere: its answer goes through a queue, and is none where other programs are read. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readTasks } from "../check.ts";
import { fromJson, toJson } from "../queue/codec.ts";
import { checkEntry, fingerprintOf } from "./entry.ts";

const CORPUS = fileURLToPath(new URL("../../../corpus", import.meta.url));
const name = "objects/xdp_vlan.v3.o";
const file = { name, bytes: Uint8Array.from(readFileSync(join(CORPUS, name))) };
const read = readTasks([file], {}).tasks.map(({ program }) => program);
const job = { file, expected: [], differences: [], settings: { seed: 1, runs: 2, compare: false } };

test("an answer comes through a queue as it is", () => {
  const answer = checkEntry({ ...job, programs: fingerprintOf(read) });
  expect(answer.outcomes).toMatchObject(read.map(() => ({ report: { verdict: { verdict: "accept" } } })));
  expect(fromJson(JSON.parse(JSON.stringify(toJson(answer))))).toEqual(answer);
});

test("what is expected of an object's programs goes with the job", () => {
  const wrong = { verdict: "reject" as const, runs: [] };
  const expected = read.map(({ name: program }) => [program, wrong] as const);
  const { outcomes } = checkEntry({ ...job, expected, programs: fingerprintOf(read) });
  expect(outcomes).toMatchObject(read.map(() => ({ report: { expectation: { holds: false } } })));
});

test("where other programs are read than were asked about, nothing is checked", () => {
  const others = read.map((program) => ({ ...program, insns: program.insns.slice(1) }));
  expect(checkEntry({ ...job, programs: fingerprintOf(others) })).toEqual({ outcomes: undefined });
});
