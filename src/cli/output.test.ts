/** The parts of the output that need no process: errors, tables, the progress line. */
import { describe, expect, test, vi } from "vitest";
import { shellWord } from "../campaign/findings.ts";
import { InputError, Unsupported } from "../semantics/errors.ts";
import { ProgressDisplay } from "./check-progress.ts";
import { hexDump, parseHex } from "./hex.ts";
import { explain, report, STATUS, type Status, worse } from "./status.ts";
import { shorten, table } from "./table.ts";
import { printable } from "./terminal.ts";

function standardError(work: () => void): string {
  const written: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
  try {
    work();
  } finally {
    spy.mockRestore();
  }
  return written.join("");
}

describe("errors", () => {
  test("bad input and what is not modelled are 2, everything else is a bug of ours", () => {
    expect(explain(new InputError("x.o: section .maps"))).toEqual({
      message: "x.o: section .maps",
      status: STATUS.impossible,
    });
    expect(explain(new Unsupported("arenas"), "x.o: f")).toEqual({
      message: "x.o: f: unsupported: arenas",
      status: STATUS.impossible,
    });
    expect(explain(new RangeError("boom"), "x.o: f")).toEqual({
      message: "x.o: f: internal fault: boom (this is a bug in soundcheck)",
      status: STATUS.fault,
    });
  });

  test("a bug is told in one line with a way to meet it again; the stack only where SOUNDCHECK_DEBUG asks for it", () => {
    const error = new Error("first line\nsecond line");
    const plain = standardError(() => expect(report(error)).toBe(STATUS.fault));
    expect(plain.split("\n")).toHaveLength(3);
    expect(plain).toMatch(
      /^soundcheck: internal fault: first line; second line \(this is a bug in soundcheck\)\nReproduce with: SOUNDCHECK_DEBUG=1 soundcheck/,
    );
    vi.stubEnv("SOUNDCHECK_DEBUG", "1");
    expect(standardError(() => report(error))).toMatch(/^ +at /m);
    vi.unstubAllEnvs();
  });

  test("the worst status is the command's", () => {
    const statuses: readonly Status[] = [STATUS.found, STATUS.held, STATUS.impossible];
    expect(statuses.reduce(worse)).toBe(2);
  });
});

describe("texts", () => {
  test("what a terminal would obey is shown", () => {
    expect(printable("a\u001b[31m\u202eb\tc\n\u0085")).toBe("a\\x1b[31m\\u{202e}b\tc\n\\x85");
    expect(printable("Grüße, 世界")).toBe("Grüße, 世界");
  });

  test("words for a shell", () => {
    expect(["a.o", "two words", "it's", ""].map(shellWord)).toEqual([
      "a.o",
      "'two words'",
      `'it'\\''s'`,
      "''",
    ]);
  });

  test("hexadecimal digits in, dumps out", () => {
    expect([...parseHex("x", " 0xDE ad\nbe EF ")]).toEqual([0xde, 0xad, 0xbe, 0xef]);
    expect(() => parseHex("x", "abc")).toThrow("x: 3 hex digits are not whole bytes");
    const bytes = Uint8Array.from({ length: 18 }, (_, i) => 0x40 + i);
    // As `xxd` prints the same bytes.
    expect(hexDump(bytes)).toBe(
      "0000: 4041 4243 4445 4647 4849 4a4b 4c4d 4e4f  @ABCDEFGHIJKLMNO\n0010: 5051                                     PQ\n",
    );
  });
});

describe("table", () => {
  const columns = [
    { title: "name", align: "left" },
    { title: "n", align: "right" },
  ] as const;

  test("columns are as wide as they need to be", () => {
    expect(
      table(
        columns,
        [
          [{ text: "a" }, { text: "100" }],
          [{ text: "long" }, { text: "2" }],
        ],
        80,
      ),
    ).toBe("name    n\na     100\nlong    2\n");
  });

  test("the first column gives way, and colours take no room", () => {
    const rows = [[{ text: "abcdefghijkl", paint: (text: string) => `<${text}>` }, { text: "1" }]];
    expect(table(columns, rows, 10)).toBe("name     n\n<abc…jkl>  1\n");
  });

  test("shortening keeps both ends", () => {
    expect(shorten("fault_uninitialised_stack", 11)).toBe("fault…stack");
    expect(shorten("short", 11)).toBe("short");
  });
});

describe("progress", () => {
  test("where lines cannot be redrawn: one every ten seconds", () => {
    let time = 0;
    const display = new ProgressDisplay(() => time);
    const text = standardError(() => {
      for (let done = 0; done <= 100; done += 1) {
        time = done * 250;
        display.show({ done, total: 100, file: "dir/x.v1.o", program: "f" });
      }
      display.clear();
    });
    expect(text).toBe(
      "10 s: 40 of 100 programs, 0 findings; at x.v1.o: f\n20 s: 80 of 100 programs, 0 findings; at x.v1.o: f\n",
    );
  });
});
