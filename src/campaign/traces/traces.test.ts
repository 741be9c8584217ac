/** Traces: their files, the systems that need no kernel, and what keeps what. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { chainTo } from "../../kernel/keepers.ts";
import { Model } from "../../kernel/model/model.ts";
import type { Operation } from "../../kernel/operation.ts";
import { Runtime } from "../../kernel/runtime.ts";
import type { Observation } from "../../kernel/system.ts";
import { compareTrace } from "./compare.ts";
import { dot } from "./graph.ts";
import { readTrace, writeTrace } from "./trace-file.ts";

const folder = new URL("../../../corpus/traces/", import.meta.url);
const read = (name: string) => readTrace(name, readFileSync(new URL(name, folder), "utf8"));
const names = readdirSync(folder);

/** What there is, but for maps that no descriptor stands for. */
function without(runtime: Runtime): Observation {
  const observation = runtime.observe();
  const open = [...observation.processes.values()].flat().filter(({ kind }) => kind === "map");
  const map = observation.alive.map.filter((id) => open.some((each) => each.id === id));
  return { ...observation, alive: { ...observation.alive, map } };
}

describe("traces", () => {
  it.each(names)(
    "corpus/traces/%s: the model says the same as far as it goes, and all counts are right",
    (name) => {
      const runtime = new Runtime();
      const operations = read(name).lines.map(({ operation }) => operation);
      const systems = [
        { name: "runtime", system: runtime },
        { name: "model", system: new Model() },
      ];
      const { difference, missing } = compareTrace(operations, systems, () =>
        expect(runtime.audit()).toEqual([]),
      );
      expect(difference).toBeUndefined();
      expect(missing.filter((each) => each.name === "runtime")).toEqual([]);
      // Each of them ends with the end of its processes, which leaves nothing.
      expect(runtime.observe()).toEqual({
        alive: { map: [], program: [], link: [], btf: [] },
        processes: new Map(),
        pins: [],
      });
    },
  );

  it("the first difference is told, with what each system has there", () => {
    const operations = read("program-keeps-its-map.jsonl").lines.map(({ operation }) => operation);
    const forgetful = new Runtime();
    const systems = [
      { name: "runtime", system: new Runtime() },
      // A program that does not keep its map.
      {
        name: "wrong",
        system: { do: (operation: Operation) => forgetful.do(operation), observe: () => without(forgetful) },
      },
    ];
    expect(compareTrace(operations, systems)).toMatchObject({
      difference: {
        step: 2,
        what: "alive",
        values: [
          { name: "runtime", value: "[[1],[1],[],[]]" },
          { name: "wrong", value: "[[],[1],[],[]]" },
        ],
      },
      missing: [],
    });
  });

  it("a file that is written is read as the same", () => {
    for (const name of names) {
      const { about, lines } = read(name);
      const operations = lines.map(({ operation }) => operation);
      const again = readTrace(name, writeTrace(about, operations));
      expect(again.lines.map(({ operation }) => operation)).toEqual(operations);
      expect(again.about).toEqual(about);
    }
  });

  it.each([
    ["nonsense", /^t:1: no JSON: /],
    ['{"process":1,"do":"leave"}', /^t:1: do: /],
    ['\n{"process":1,"do":"close","fd":"x"}', /^t:2: fd: /],
    ['{"process":0,"do":"fork"}', /^t:1: process: /],
    ['{"process":1,"do":"fork","and":1}', /^t:1: /],
  ])("%s is an error with its line", (text, message) => {
    expect(() => readTrace("t", text)).toThrow(message);
  });

  it("the chain from a root to an object goes through what uses it", () => {
    const runtime = new Runtime();
    const operations = read("program-keeps-its-map.jsonl").lines.map(({ operation }) => operation);
    for (const operation of operations.slice(0, 3)) runtime.do(operation);
    const chain = chainTo(runtime.keepers(), "map 1");
    expect(chain?.map(({ keeper, kept, how }) => [keeper, how, kept])).toEqual([
      ["process 1", "fd 1", "program 1"],
      ["program 1", "uses", "map 1"],
    ]);
    expect(dot("t", runtime.keepers())).toContain('"program 1" -> "map 1" [label="uses"];');
    expect(chainTo(runtime.keepers(), "map 2")).toBeUndefined();
  });
});
