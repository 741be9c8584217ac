/** Values with fields that a kernel does not take together. That programs find none there was seen on Linux 6.18 and 7.3. */
import { expect, test } from "vitest";
import { readBtf } from "./btf.ts";
import { valueFields } from "./value-fields.ts";

/** BTF with a 4-byte number (type 1), and structures of members that follow each other in steps of 16 bytes, from type 2 on. */
function btfOf(structs: readonly (readonly [name: string, ...members: number[]])[]): Uint8Array {
  let strings = "\0";
  const place = (text: string): number => {
    const at = strings.length;
    strings += `${text}\0`;
    return at;
  };
  const types: number[] = [place("u32"), 1 << 24, 4, 32];
  for (const [title, ...members] of structs) {
    types.push(place(title), (4 << 24) | members.length, 16 * members.length);
    members.forEach((type, index) => types.push(place(`m${index}`), type, 128 * index));
  }
  const bytes = new Uint8Array(24 + 4 * types.length + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  [24, 0, 4 * types.length, 4 * types.length, strings.length].forEach((word, index) =>
    view.setUint32(4 + 4 * index, word, true),
  );
  types.forEach((word, index) => view.setUint32(24 + 4 * index, word, true));
  bytes.set(new TextEncoder().encode(strings), 24 + 4 * types.length);
  return bytes;
}

const [LOCK, RESILIENT, TIMER, LIST] = [2, 3, 4, 5];

test.each([
  ["a lock and a timer", [LOCK, TIMER], ["spin_lock", "timer"]],
  ["lists", [LIST, LIST], ["list_head", "list_head"]],
  ["two locks", [LOCK, LOCK], []],
  ["locks of both kinds", [LOCK, RESILIENT, LIST], []],
  ["two timers", [LOCK, TIMER, TIMER], []],
] as const)("%s", (_, members, kinds) => {
  const btf = readBtf(
    btfOf([
      ["bpf_spin_lock", 1],
      ["bpf_res_spin_lock", 1],
      ["bpf_timer", 1],
      ["bpf_list_head", 1],
      ["value", ...members],
    ]),
  );
  expect(valueFields(btf, 6).map(({ kind }) => kind)).toEqual(kinds);
});
