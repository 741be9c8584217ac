/**
 * A guest kernel of Debian's, booted for the test. Expected: what the kernel's documentation says of small programs (Documentation/bpf/verifier.rst), and of
 * the requests by which it is made to crash (Documentation/admin-guide/sysrq.rst). Skipped with the reason where there is no QEMU or no kernel.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { InputError } from "../../semantics/errors.ts";
import { assemble } from "../../semantics/isa/assemble.ts";
import type { MapDefinition } from "../../semantics/program/map-types.ts";
import type { Program } from "../../semantics/program/program.ts";
import type { Kernel } from "../linux/calls.ts";
import { loadProgram } from "../linux/load.ts";
import { createMap, possibleCpus, word } from "../linux/maps.ts";
import { testRun } from "../linux/test-run.ts";
import { GuestFailure } from "./failure.ts";
import { bootGuest, type GuestOptions } from "./guest.ts";
import { findImage, guestCache, type Image } from "./image.ts";
import { type LastingGuest, lastingGuest } from "./lasting.ts";
import { text, X86_64 } from "./x86-64.ts";

const PATH = process.env["PATH"] ?? "";
const cache = guestCache(process.env);
const scratch = mkdtempSync(join(tmpdir(), "soundcheck-guest-test-"));
// Here are this test's guests, and no others.
vi.stubEnv("TMPDIR", scratch);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(scratch, { recursive: true });
});

/** By translation: that works wherever QEMU does. */
const options: GuestOptions = {
  cache,
  accelerator: "tcg",
  settings: [["kernel.unprivileged_bpf_disabled", "0"]],
};

function image(): Image | string {
  try {
    const qemu = PATH.split(":").some((each) => existsSync(join(each, "qemu-system-x86_64")));
    return qemu ? findImage(cache, "linux-6.1") : "qemu-system-x86_64 is not on PATH";
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

const found = image();
if (typeof found === "string") console.warn(`skipped: no guest: ${found}`);

const ARRAY: MapDefinition = {
  name: "m",
  type: "array",
  keySize: 4,
  valueSize: 8,
  maxEntries: 4,
  flags: 0,
};

function program(asm: string, maps: readonly MapDefinition[] = []): Program {
  const insns = assemble(asm, { maps });
  return { name: "test", type: "xdp", license: "GPL", flags: [], insns, maps, lines: [], functions: [] };
}

/** What is left of this test's guests. */
const left = (): readonly string[] =>
  readdirSync(scratch).filter((name) => name.startsWith("soundcheck-guest-"));

function write(kernel: Kernel, path: string, value: string): void {
  const bytes = Buffer.from(value);
  kernel.calls([
    { number: X86_64.open, arguments: [{ bytes: text(path), back: "nothing" }, 1, 0] },
    { number: X86_64.write, arguments: [{ resultOf: 0 }, { bytes, back: "nothing" }, bytes.length] },
  ]);
}

function failureOf(work: () => unknown): GuestFailure {
  try {
    work();
  } catch (error) {
    if (error instanceof GuestFailure) return error;
    throw error;
  }
  throw new Error("there was an answer");
}

describe.skipIf(typeof found === "string")("a guest", () => {
  let guest: LastingGuest;
  beforeAll(() => {
    if (typeof found === "string") throw new Error(found);
    guest = lastingGuest(() => bootGuest(found, PATH, { ...options, answerMs: 10_000 }));
  });
  afterAll(() => guest.stop());

  it("says what it is", () => {
    const kernel = guest.kernel();
    expect(kernel).toMatchObject({ name: "linux-6.1", arch: "x64" });
    expect(kernel.release).toMatch(/^6\.1\.\d.*-cloud-amd64$/);
    expect(possibleCpus(kernel)).toBe(1);
    expect(Buffer.from(kernel.readFile("/proc/sys/kernel/unprivileged_bpf_disabled") ?? "").toString()).toBe(
      "0\n",
    );
    // "BTF blob": magic 0xeb9f, version 1 (Documentation/bpf/btf.rst); some megabytes, more than one answer holds.
    const btf = kernel.readFile("/sys/kernel/btf/vmlinux") ?? new Uint8Array(0);
    expect([...btf.subarray(0, 3)]).toEqual([0x9f, 0xeb, 1]);
    expect(btf.length).toBeGreaterThan(1 << 20);
    expect(kernel.readFile("/nowhere")).toBeUndefined();
  });

  it("loads, runs and refuses programs as the running kernel's client does", () => {
    const kernel = guest.kernel();
    const good = loadProgram(program("r0 = 7\nexit"), { kernel });
    if (good.verdict === "reject") throw new Error(good.message);
    expect(good.processed).toBe(2);
    expect(testRun(good.fd, { packet: new Uint8Array(14) }, kernel)).toMatchObject({ ran: true, retval: 7 });
    good.close();
    const asm = "r2 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r2 +0)\nexit";
    const refused = loadProgram(program(asm), { kernel, logLevel: 2 });
    expect(refused).toMatchObject({ verdict: "reject", errno: "EACCES", stage: "program" });
    expect(refused.log).toContain("invalid access to packet");
  });

  it("keeps maps, which belong to it", () => {
    const kernel = guest.kernel();
    const map = createMap(ARRAY, undefined, kernel);
    const value = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    map.update(word(2), value);
    expect(map.lookup(word(2))).toEqual(value);
    expect(map.lookup(word(9))).toBeUndefined();
    const owner = program("r1 = map[0]\nr0 = 0\nexit", [ARRAY]);
    expect(() => loadProgram(owner, { maps: [map] })).toThrow("is in linux-6.1, not in this machine");
    const loaded = loadProgram(owner, { kernel, maps: [map] });
    expect(loaded.verdict).toBe("accept");
    if (loaded.verdict === "accept") loaded.close();
    map.close();
  });

  it("makes lists of calls, in order, with results of earlier ones", () => {
    const kernel = guest.kernel();
    const bytes = new Uint8Array(16);
    const name = { bytes: text("/proc/sys/kernel/ostype"), back: "nothing" } as const;
    const outcomes = kernel.calls([
      { number: X86_64.close, arguments: [12345] },
      { number: X86_64.open, arguments: [name, 0, 0] },
      { number: X86_64.read, arguments: [{ resultOf: 1 }, { bytes, back: "text" }, 16] },
      { number: X86_64.close, arguments: [{ resultOf: 1 }] },
    ]);
    const EBADF = 9;
    expect(outcomes[0]).toEqual({ result: -1, errno: EBADF });
    expect(outcomes.slice(2).map(({ result }) => result)).toEqual([6, 0]);
    expect(Buffer.from(bytes.subarray(0, 6)).toString()).toBe("Linux\n");
  });

  it("ends with a failure when its kernel panics, and another one takes its place", () => {
    const kernel = guest.kernel();
    const map = createMap(ARRAY, undefined, kernel);
    const failure = failureOf(() => write(kernel, "/proc/sysrq-trigger", "c"));
    expect(failure.kind).toBe("panic");
    expect(failure.message).toMatch(/^guest linux-6\.1 panicked: /);
    expect(failure.console).toContain("sysrq");
    expect(() => map.lookup(word(0))).toThrow(GuestFailure);
    map.close();
    const next = guest.kernel();
    expect(next).not.toBe(kernel);
    expect(possibleCpus(next)).toBe(1);
    expect(guest.failures()).toEqual([failure]);
  });

  it("ends with a failure when it does not answer in time", () => {
    const NANOSLEEP = 35;
    const kernel = guest.kernel();
    const time = new Uint8Array(16);
    new DataView(time.buffer).setBigUint64(0, 3600n, true);
    const start = performance.now();
    const call = { number: NANOSLEEP, arguments: [{ bytes: time, back: "nothing" } as const, 0] };
    expect(failureOf(() => kernel.calls([call])).kind).toBe("hang");
    expect(performance.now() - start).toBeLessThan(30_000);
    guest.stop();
    expect(left()).toEqual([]);
  });
});

describe.skipIf(typeof found === "string")("a guest that cannot be", () => {
  const started = (): Image => {
    if (typeof found === "string") throw new Error(found);
    return found;
  };

  it("is a failure that says what QEMU said, where the kernel is none", () => {
    const kernel = join(scratch, "vmlinuz");
    writeFileSync(kernel, "no kernel");
    const failure = failureOf(() => bootGuest({ ...started(), kernel }, PATH, options));
    expect(failure.kind).toBe("exit");
    expect(failure.message).toMatch(/^guest linux-6\.1 ended: .*kernel/);
  });

  it("is a failure where the kernel stops for want of what it needs", () => {
    const failure = failureOf(() => bootGuest(started(), PATH, { ...options, memoryMiB: 32 }));
    expect(["panic", "exit"]).toContain(failure.kind);
  });

  it("dies with its parent", async () => {
    const source = fileURLToPath(new URL(".", import.meta.url));
    const script = `
      import { bootGuest } from "${source}guest.ts";
      import { writeSync } from "node:fs";
      const { image, options } = JSON.parse(process.argv[1]);
      const guest = bootGuest(image, process.env.PATH, options);
      writeSync(1, guest.kernel.release);
      process.kill(process.pid, "SIGKILL");
    `;
    const given = JSON.stringify({ image: started(), options });
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script, given], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += String(chunk);
    });
    const signal = await new Promise((resolve) => child.on("close", (_, by) => resolve(by)));
    expect([said, signal]).toEqual([started().release, "SIGKILL"]);
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  });
});

describe("where something is missing", () => {
  const nothing: Image = { name: "linux-6.1", release: "6.1", kernel: "", modules: [] };

  it("says so in one line", () => {
    expect(() => bootGuest(nothing, scratch, options)).toThrow(
      "qemu-system-x86_64 is not on PATH (it runs guest kernels)",
    );
    expect(() => guestCache({})).toThrow(InputError);
    expect(guestCache({ XDG_CACHE_HOME: "/c" })).toBe("/c/soundcheck/guests");
    expect(guestCache({ HOME: "/h", XDG_CACHE_HOME: "relative" })).toBe("/h/.cache/soundcheck/guests");
  });
});
