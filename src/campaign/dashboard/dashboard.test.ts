/** `plot.csv` over kills, and the dashboard's page. */
import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { duration, short, ticks } from "./chart.ts";
import { dashboard } from "./page.ts";
import { Plot, pointOf, readPlot } from "./plot.ts";
import { statsAt } from "./testing.ts";

describe("plot.csv", () => {
  const path = (): string => join(mkdtempSync(join(tmpdir(), "soundcheck-")), "plot.csv");

  test("has a line every five seconds, and one for the end", () => {
    const plot = new Plot(path(), 0);
    for (let seconds = 1; seconds <= 12; seconds += 1) plot.add(statsAt(seconds), seconds === 12);
    expect(plot.points.map(({ seconds }) => seconds)).toEqual([1, 6, 11, 12]);
  });

  test("goes on where the statistics say; half a line and later ones go", () => {
    const file = path();
    const killed = new Plot(file, 0);
    for (const seconds of [5, 10, 15]) killed.add(statsAt(seconds));
    appendFileSync(file, "20,2000,14");
    const resumed = new Plot(file, 11);
    resumed.add(statsAt(16));
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(lines.slice(1).map((line) => line.split(",")[0])).toEqual(["5", "10", "16"]);
    expect(readPlot("plot.csv", readFileSync(file, "utf8"))).toEqual(
      [5, 10, 16].map((at) => pointOf(statsAt(at))),
    );
  });

  test("keeps the last line of a campaign that ended, whose seconds are rounded up", () => {
    const file = path();
    const ended = { ...statsAt(3), seconds: 3.46 };
    new Plot(file, 0).add(ended, true);
    expect(new Plot(file, ended.seconds).points).toEqual([pointOf(ended)]);
  });

  test("has a column for each oracle, and reads what has others", () => {
    const file = path();
    const seen = statsAt(4, { violations: { containment: 3, jit: 1 } });
    new Plot(file, 0).add(seen, true);
    const [header = "", line = ""] = readFileSync(file, "utf8").split("\n");
    expect(line.split(",")[header.split(",").indexOf("containment")]).toBe("3");
    expect(readPlot("plot.csv", readFileSync(file, "utf8"))).toEqual([pointOf(seen)]);
    const [sums] = header.split(",certificate,");
    const old = `${sums},luck\n${line.split(",").slice(0, 11).join(",")},5\n`;
    expect(readPlot("plot.csv", old)).toEqual([{ ...pointOf(seen), violations: { luck: 5 } }]);
  });

  test("what is something else is not written over", () => {
    const file = path();
    writeFileSync(file, "a,b\n");
    expect(() => new Plot(file, 0)).toThrow(`${file}: is no plot of a campaign`);
  });
});

describe("the page", () => {
  const points = [1, 2, 3].map((seconds) => pointOf(statsAt(seconds)));

  test("holds all that it shows, and no script", () => {
    const page = dashboard({ stats: statsAt(3), points, findings: [], version: "1.2.3" });
    expect(page).toContain("<title>Nothing found: a campaign of soundcheck</title>");
    expect(page.match(/<svg /g)).toHaveLength(7);
    expect(page).not.toMatch(/<script|src=|href=|url\(|http-equiv="refresh"/);
  });

  test("shows oracle by oracle what each had to say", () => {
    const stats = statsAt(3, { oracles: ["containment", "jit"], violations: { jit: 2 } });
    const page = dashboard({ stats, points: [pointOf(stats)], findings: [], version: "1.2.3" });
    expect(page).toMatch(/<i [^>]*><\/i>jit <b>2<\/b>/);
    expect(page).toMatch(/<i [^>]*><\/i>containment <b>0<\/b>/);
  });

  test("shows findings as text, with the command that replays them", () => {
    const finding = {
      key: "fault: <b>",
      oracle: "fault",
      message: "an accepted program faults",
      seed: 9,
      program: "f.prog.json",
      instructions: 4,
      version: "1.2.3",
      replay: "soundcheck check c/findings/f.prog.json --seed 9",
    } as const;
    const stats = statsAt(3, { findings: { total: 1, byOracle: { fault: 1 }, repeated: 2 } });
    const page = dashboard({ stats, points: [], findings: [finding], version: "1.2.3", refresh: 10 });
    expect(page).toContain("<h1>1 finding</h1>");
    expect(page).toContain("fault: &lt;b&gt;");
    expect(page).toContain(finding.replay);
    expect(page).toContain('<meta http-equiv="refresh" content="10">');
  });
});

test("axes have round numbers", () => {
  expect(ticks(1080, 4)).toEqual([0, 500, 1000]);
  expect(ticks(0.9, 4)).toEqual([0, 0.5]);
  expect([0, 9300, 12_340, 1_345_500, 17_900_000].map(short)).toEqual([
    "0",
    "9300",
    "12.3k",
    "1.35M",
    "17.9M",
  ]);
  expect([0, 59, 60, 3725, 90_000].map(duration)).toEqual(["0 s", "59 s", "1 min", "1 h 2 min", "1 d 1 h"]);
});
