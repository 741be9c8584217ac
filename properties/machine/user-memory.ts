/** Memory of this process at an address that is known before, for programs that read it. */
import { closeSync, openSync, writeSync } from "node:fs";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";

export const USER_AT = 0x10_0000_0000;
/** A page of texts and other bytes; nothing is mapped behind it, and nothing in front. */
export const USER_BYTES = Uint8Array.from({ length: 4096 }, (_, i) =>
  (i * 7) % 29 === 0 ? 0 : (i * 31 + (i >> 5)) & 0xff,
);

const MMAP = 9;
const READ_WRITE = 3;
/** MAP_PRIVATE, MAP_ANONYMOUS, MAP_FIXED_NOREPLACE. */
const PRIVATE_AT = 0x10_0022;

let mapped = false;

/** Maps the page, once. @throws if something else is there */
export function mapUserMemory(): void {
  if (mapped) return;
  const [outcome] = THIS_MACHINE.calls([
    { number: MMAP, arguments: [USER_AT, USER_BYTES.length, READ_WRITE, PRIVATE_AT, -1, 0] },
  ]);
  if (outcome === undefined || outcome.errno !== 0) throw new Error(`mmap: error ${outcome?.errno}`);
  const file = openSync("/proc/self/mem", "r+");
  writeSync(file, USER_BYTES, 0, USER_BYTES.length, USER_AT);
  closeSync(file);
  mapped = true;
}
