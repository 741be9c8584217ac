/**
 * The instruments find something: a bug of each class, all in one copy of the code, each with a program made for it. What an instrument is told to look at here it has to find by
 * itself elsewhere (docs/scorecard.md); but one that had become blind would not show there as a failure. Of the sound code all of them have nothing to say. Theorems are held
 * against wrong versions of their own (`properties/proof`), and the model, for what is alive (LT), finds its bug in `cli/bugs.test.ts`.
 */
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readBundle } from "../../../object/bundle.ts";
import type { Program } from "../../../semantics/program/program.ts";
import type { BugClass } from "../bug.ts";
import { BUGS } from "../catalogue/index.ts";
import { type Code, fileOf, ownCode, patchedCopy } from "../copy.ts";
import { INSTRUMENTS as SOUND } from "./index.ts";
import type { InstrumentName } from "./names.ts";

interface Shown {
  readonly class: BugClass;
  readonly bug: string;
  readonly by: InstrumentName;
  readonly asm: readonly string[];
}

const RANDOM = "call bpf_get_prandom_u32#7";

const PROGRAMS: readonly Shown[] = [
  { class: "T", bug: "mov32-immediate-sign-extends", by: "containment", asm: ["w0 = -1", "exit"] },
  {
    class: "S",
    bug: "zero-extension-signed-bound",
    by: "containment",
    asm: [RANDOM, "w0 = w0", "w0 += 1", "exit"],
  },
  {
    class: "B",
    bug: "less-than-by-at-most",
    by: "containment",
    asm: [RANDOM, "r0 &= 3", "if r0 > 2 goto out", "r0 += 1", "out:", "exit"],
  },
  {
    class: "P",
    bug: "pointer-offsets-not-compared",
    by: "containment",
    asm: [
      RANDOM,
      "r0 &= 1",
      "*(u64 *)(r10 -8) = 1",
      "*(u64 *)(r10 -16) = 2",
      "r2 = r10",
      "r2 += -8",
      "if r0 == 0 goto read",
      "r2 += -8",
      "read:",
      "r0 = *(u64 *)(r2 +0)",
      "exit",
    ],
  },
  {
    class: "L",
    bug: "link-survives-a-mask",
    by: "containment",
    asm: [RANDOM, "r1 = r0", "r1 &= 1", "if r1 == 0 goto out", "r0 = 0", "out:", "exit"],
  },
  {
    class: "PT",
    bug: "packet-range-one-more",
    by: "checker",
    asm: [
      "r2 = *(u32 *)(r1 +0)",
      "r3 = *(u32 *)(r1 +4)",
      "r4 = r2",
      "r4 += 14",
      "r0 = 0",
      "if r4 > r3 goto out",
      "r0 = *(u8 *)(r2 +14)",
      "out:",
      "exit",
    ],
  },
  {
    class: "ST",
    bug: "narrow-fill-gives-the-whole",
    by: "containment",
    asm: ["r1 = -1", "*(u64 *)(r10 -8) = r1", "r0 = *(u32 *)(r10 -8)", "exit"],
  },
  {
    class: "H",
    bug: "arguments-survive-a-helper",
    by: "containment",
    asm: ["r1 = 5", RANDOM, "r0 = r1", "exit"],
  },
  {
    class: "R",
    bug: "swap16-keeps-the-rest",
    by: "containment",
    asm: ["r0 = 0x12345678", "r0 = bswap16 r0", "exit"],
  },
  {
    class: "C",
    bug: "shift-count-not-checked",
    by: "checker",
    asm: ["r0 = 1", "r0 <<= 64", "exit"],
  },
];

const sound = ownCode();
const trial = {
  sound: { code: pathToFileURL(fileOf(sound, "x")).href.slice(0, -4), ending: sound.ending },
};

function programOf({ class: name, asm }: Shown): Program {
  const bundle = { name: `class ${name}`, type: "xdp", license: "GPL", asm };
  return readBundle(JSON.stringify(bundle)).program;
}

async function judged(instruments: typeof SOUND, shown: Shown): Promise<string | undefined> {
  const judge = await instruments[shown.by].judge?.(trial);
  if (judge === undefined) throw new Error(`${shown.by} looks at no programs`);
  return judge(programOf(shown), 1);
}

describe("a copy with a bug of each class", () => {
  let copy: { readonly code: Code; readonly remove: () => void };
  let instruments: typeof SOUND;

  beforeAll(async () => {
    const ids = PROGRAMS.map(({ bug }) => bug);
    copy = patchedCopy(
      sound,
      BUGS.filter(({ id }) => ids.includes(id)).flatMap(({ edits }) => edits),
    );
    const index = fileOf(copy.code, "campaign/bugs/instruments/index");
    ({ INSTRUMENTS: instruments } = (await import(pathToFileURL(index).href)) as {
      readonly INSTRUMENTS: typeof SOUND;
    });
  });
  afterAll(() => copy.remove());

  test.each(PROGRAMS)("$class: $bug is found by $by", async (shown) => {
    expect(BUGS.find(({ id }) => id === shown.bug)?.class).toBe(shown.class);
    expect(await judged(instruments, shown)).toBeDefined();
    expect(await judged(SOUND, shown)).toBeUndefined();
  });
});
