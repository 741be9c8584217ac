/** Without koffi, root or Linux there is no oracle, and that is no error: a reason in one line. */
import { afterEach, describe, expect, it, vi } from "vitest";

afterEach(() => {
  vi.doUnmock("node:module");
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** `kernelAvailable` of a fresh module, in which `require("koffi")` does what the test says. */
async function reason(koffi: () => unknown): Promise<string> {
  vi.resetModules();
  vi.doMock("node:module", () => ({ createRequire: () => koffi }));
  const { kernelAvailable } = await import("./kernel.ts");
  const state = kernelAvailable();
  return state.ok ? "available" : state.reason;
}

describe("no bpf(2)", () => {
  it("when koffi is not installed", async () => {
    const missing = Object.assign(new Error("Cannot find module 'koffi'"), { code: "MODULE_NOT_FOUND" });
    const message = await reason(() => {
      throw missing;
    });
    expect(message).toBe(
      process.platform === "linux"
        ? "no bpf(2): koffi is not installed (npm install koffi)"
        : `no bpf(2): ${process.platform} has no bpf(2)`,
    );
  });

  it.skipIf(process.platform !== "linux")("when koffi does not load", async () => {
    const message = await reason(() => {
      throw new Error("wrong ELF class");
    });
    expect(message).toBe("no bpf(2): koffi cannot be loaded: wrong ELF class");
  });

  it.skipIf(process.platform !== "linux")("when the kernel does not let us", async () => {
    const EPERM = 1;
    const message = await reason(() => ({
      load: () => ({ func: () => () => -1 }),
      address: () => 0n,
      errno: () => EPERM,
    }));
    expect(message).toBe(
      "no bpf(2): operation not permitted (EPERM); loading programs takes root, or CAP_BPF and more",
    );
  });

  it("on another system", async () => {
    vi.stubGlobal("process", { ...process, platform: "darwin" });
    expect(await reason(() => ({}))).toBe("no bpf(2): darwin has no bpf(2)");
  });
});
