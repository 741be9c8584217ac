/** Profiles on the command line. A whole probe takes minutes: what it learns is tested where it is learnt (src/oracle/linux/probe). */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { soundcheck } from "./testing.ts";

const folder = mkdtempSync(join(tmpdir(), "profiles-"));
afterAll(() => rmSync(folder, { recursive: true }));
const xdp = join(folder, "xdp.s");
writeFileSync(xdp, "; type: xdp\nr0 = 2\nexit\n");

describe("--profile", () => {
  it("takes the rules of a kernel by name", async () => {
    const { status, stdout } = await soundcheck(["verify", "--profile", "linux-6.18", "--json", xdp]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "accept" });
  });

  it("says which there are, if there is none of the name", async () => {
    const { status, stdout, stderr } = await soundcheck(["verify", "--profile", "linux-1.0", xdp]);
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^soundcheck: there is no profile linux-1\.0: .*linux-6\.18.*, or a file\n$/);
  });

  it("refuses a file that is no profile, in one line", async () => {
    const bad = join(folder, "bad.json");
    writeFileSync(bad, '{"kernel": "6.18"}');
    const { status, stderr } = await soundcheck(["verify", "--profile", bad, xdp]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^soundcheck: .*bad\.json: not a profile: [^\n]*\n$/);
  });
});

describe("soundcheck probe", () => {
  it("says which kernels can be asked", async () => {
    const { status, stderr } = await soundcheck(["probe", "--on", "minix"]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^soundcheck: there is no kernel minix to ask: [^\n]*\n$/);
  });
});
