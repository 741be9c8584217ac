/** The HTML report: complete in itself, safe with whatever programs are called, and in working order in a browser where there is one. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { assemble } from "../semantics/isa/assemble.ts";
import type { CheckedRun, CheckSummary, ProgramReport } from "./check-report.ts";
import { htmlReport } from "./html-report.ts";

const HOSTILE = `</script><img src=x onerror="alert(1)">'&\u202e`;

const run: CheckedRun = {
  packet: Uint8Array.of(1, 2, 3),
  context: new Uint8Array(0),
  seed: 9,
  steps: 2,
  outcome: { kind: "exit", r0: "0x2" },
};

function report(name: string, rest: Partial<ProgramReport> = {}): ProgramReport {
  const asm = "r0 = 2\nexit";
  return {
    file: `dir/${name}.o`,
    program: {
      name,
      type: "xdp",
      license: "GPL",
      flags: [],
      insns: assemble(asm),
      maps: [],
      lines: [],
      functions: [],
    },
    verdict: { verdict: "accept", processed: 2, ms: 1 },
    log: "; return 2; @ x.c:3\n0: (b7) r0 = 2      ; R0=2\n1: (95) exit\nprocessed 2 insns (limit 1000000)\n",
    certificate: { nodes: 1, bytes: 100, confirmed: true },
    runs: [run, run],
    coverage: { executed: 2, total: 2 },
    violations: [],
    kernel: { verdict: "accept", processed: 2, ms: 1 },
    agreement: { kind: "same" },
    ...rest,
  };
}

function summary(reports: readonly ProgramReport[], rest: Partial<CheckSummary> = {}): CheckSummary {
  return {
    reports,
    unreadable: [],
    faults: [],
    kernel: { compared: true, release: "6.18" },
    seed: 1,
    runs: 2,
    seconds: 1,
    ...rest,
  };
}

const broken = report("broken", {
  verdict: { verdict: "reject", errno: "EACCES", message: "R2 !read_ok", insn: 0, processed: 1, ms: 1 },
  agreement: { kind: "different" },
  violations: [{ kind: "containment", insn: 1, message: "R0 is 5, not 2", run }],
});

describe("the text", () => {
  test("names, messages, logs and paths are escaped", () => {
    const page = htmlReport(
      summary(
        [
          report(HOSTILE, {
            log: `; ${HOSTILE} @ x.c:1\n${HOSTILE}\n`,
            violations: [{ kind: "containment", insn: 0, message: HOSTILE, run }],
            agreement: { kind: "explained", reason: HOSTILE },
            runs: [{ ...run, outcome: { kind: "fault", fault: "out_of_bounds", insn: 0, message: HOSTILE } }],
            expectation: { verdict: HOSTILE, holds: false, reason: HOSTILE },
          }),
        ],
        { unreadable: [{ file: HOSTILE, message: HOSTILE }], kernel: { compared: false, reason: HOSTILE } },
      ),
    );
    expect(page).not.toContain("<img");
    expect(page).not.toContain("\u202e");
    expect(page.match(/<\/script>/g)).toHaveLength(1);
    expect(page).toContain(
      "&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;\\u{202e}",
    );
  });

  test("nothing is loaded from anywhere", () => {
    const page = htmlReport(summary([report("a"), broken]));
    expect(page).not.toMatch(/https?:|\bsrc=|<link|@import|url\(/);
    expect(page).toContain("default-src 'none'");
  });

  test("findings come before the programs, with input and commands", () => {
    const page = htmlReport(summary([report("good"), broken]));
    expect(page.indexOf("R0 is 5, not 2")).toBeLessThan(page.indexOf("<h2>Programs</h2>"));
    expect(page).toContain("2 findings");
    expect(page).toContain("soundcheck run dir/broken.o --program broken --packet 010203 --seed 9 --trace");
    expect(page).toContain("soundcheck says reject EACCES: R2 !read_ok; Linux 6.18 says accept");
  });

  test("equal summaries give equal reports; an empty one is a report too", () => {
    expect(htmlReport(summary([broken]))).toBe(htmlReport(summary([broken])));
    expect(htmlReport(summary([]))).toContain("No findings");
  });
});

const BROWSER = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

/** Uses the report as a person would; what it sees goes to the page's title. */
const DRIVER = `
const see = [];
const shown = () => document.querySelector("output").value;
const first = () => document.querySelector(".program:not([hidden]) .open");
const set = (name, value) => {
  form[name].value = value;
  form.dispatchEvent(new Event("input"));
};
const sortBy = (title) => [...document.querySelectorAll(".sort")].find((button) => button.textContent === title).click();
addEventListener("error", ({ message }) => see.push(message));
see.push(shown());
set("text", "F99");
see.push(shown());
set("verdict", "accept");
see.push(shown());
sortBy("processed");
see.push(first().textContent);
sortBy("processed");
see.push(first().textContent);
first().click();
see.push(document.querySelector(".details .l-source").textContent, document.querySelectorAll(".details .runs tbody tr").length);
first().click();
see.push(document.querySelectorAll(".details").length);
location.hash = "#p1000";
setTimeout(() => {
  see.push(document.querySelectorAll("#p1000 .details").length);
  document.title = JSON.stringify(see);
}, 100);
`;

describe.skipIf(BROWSER === undefined)("in a browser", () => {
  test("a thousand programs: rows open, filter and sort, without an error", () => {
    const many = Array.from({ length: 999 }, (_, i) =>
      report(`f${i}`, { verdict: { verdict: i % 2 === 0 ? "accept" : "unsupported", processed: i, ms: 1 } }),
    );
    const page = htmlReport(summary([...many, broken])).replace("</script>", () => `${DRIVER}</script>`);
    const directory = mkdtempSync(join(tmpdir(), "soundcheck-"));
    const file = join(directory, "report.html");
    writeFileSync(file, page);
    const dom = execFileSync(
      BROWSER ?? "",
      [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        `--user-data-dir=${directory}`,
        "--virtual-time-budget=5000",
        "--dump-dom",
        pathToFileURL(file).href,
      ],
      { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] },
    );
    const [, title = ""] = /<title>(.*?)<\/title>/.exec(dom) ?? [];
    expect(JSON.parse(title)).toEqual([
      "1000 of 1000",
      "10 of 1000",
      "5 of 1000",
      "f990",
      "f998",
      "; return 2; @ x.c:3",
      1,
      0,
      1,
    ]);
  });
});
