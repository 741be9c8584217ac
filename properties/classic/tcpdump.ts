/** tcpdump as a peer: it compiles expressions, prints what it compiled, and reads captures. */
import { execFileSync, spawnSync } from "node:child_process";
import { readCapture } from "../../src/vm/pcap.ts";

/** What `tcpdump --version` says first; `undefined` where there is no tcpdump. */
export function tcpdumpVersion(): string | undefined {
  const { error, stderr, stdout } = spawnSync("tcpdump", ["--version"], { encoding: "utf8" });
  return error === undefined ? `${stderr}${stdout}`.split("\n")[0] : undefined;
}

/** More than any file here. */
const LARGEST = 1 << 28;

function run(args: readonly string[]): Buffer {
  return execFileSync("tcpdump", args, { maxBuffer: LARGEST, stdio: ["ignore", "pipe", "ignore"] });
}

const words = (expression: string): readonly string[] => (expression === "" ? [] : ["--", expression]);

/** The filter that tcpdump makes of an expression for a capture, as `-d`, `-dd` or `-ddd` print it. */
export const compiled = (capture: string, expression: string, option: "-d" | "-dd" | "-ddd"): string =>
  run(["-r", capture, option, ...words(expression)]).toString();

/** The frames' numbers, from 0, that tcpdump keeps of a capture that `captureFile` wrote. */
export function kept(capture: string, expression: string): readonly number[] {
  const out = run(["-r", capture, "-w", "-", ...words(expression)]);
  return readCapture(out).map(({ timeNs }) => Number(timeNs ?? 0n) / 1000);
}

/** The filter of an expression for Ethernet, as `-ddd` prints it. */
export const compiledForEthernet = (expression: string): string =>
  run(["-y", "EN10MB", "-s", "262144", "-ddd", ...words(expression)]).toString();
