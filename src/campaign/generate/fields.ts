/** Steps on the context: numbers that are loaded from it or stored to it, and numbers that helpers give. */
import type { ContextField } from "../../semantics/profile/profile.ts";
import { someNumber } from "./arithmetic.ts";
import { CONTEXT, type Emit, load, pick, store, type Width } from "./context.ts";
import { atMost, NUMBER } from "./held.ts";
import { boundOf } from "./stack.ts";

const GIVING = [
  "ktime_get_ns",
  "get_prandom_u32",
  "get_smp_processor_id",
  "jiffies64",
  "ktime_get_boot_ns",
  "ktime_get_coarse_ns",
  "ktime_get_tai_ns",
  "get_numa_node_id",
  "get_current_pid_tgid",
  "get_current_uid_gid",
  "get_current_cgroup_id",
] as const;

/** A number that nothing, or little, is known of. */
export const ask: Emit = (w, { a }) => {
  const name = GIVING[a % GIVING.length] ?? "ktime_get_ns";
  const usable = w.has(name) ? name : "get_prandom_u32";
  if (!w.has(usable)) return;
  w.call(usable, usable === "get_prandom_u32" ? atMost(2 ** 32 - 1) : NUMBER);
};

/** Functions of the kernel on texts, by how many numbers they take after the first text, and whether there is a second. */
const TEXTS = [
  ["bpf_strlen", false, 0],
  ["bpf_strnlen", false, 1],
  ["bpf_strchr", false, 1],
  ["bpf_strchrnul", false, 1],
  ["bpf_strrchr", false, 1],
  ["bpf_strnchr", false, 2],
  ["bpf_strcmp", true, 0],
  ["bpf_strcasecmp", true, 0],
  ["bpf_strspn", true, 0],
  ["bpf_strcspn", true, 0],
  ["bpf_strstr", true, 0],
  ["bpf_strnstr", true, 1],
] as const;

/** A text, or two, is looked at: such as there are in maps' values. */
export const text: Emit = (w, { a, b, c }) => {
  const [name, second, numbers] = pick(TEXTS, a) ?? TEXTS[0];
  if (w.locked || !w.abilities.mayCall(name)) return;
  const texts = second ? 2 : 1;
  for (let r = 1; r <= texts; r += 1) {
    const map = (b >> r) % 2 === 0 ? "text" : "values";
    w.draft.emit("ld_imm64_map_value", { dst: r, imm: w.map(map), immHigh: (c >> r) % 8 });
  }
  for (let r = texts + 1; r <= texts + numbers; r += 1)
    w.draft.emit("mov64_imm", { dst: r, imm: (c >> (2 * r)) % 128 });
  w.callKfunc(name, NUMBER);
};

/** An access of one of the sizes that the field takes, anywhere in it. */
function placeIn(
  field: ContextField,
  sizes: readonly Width[],
  choice: number,
): { size: Width; off: number } | undefined {
  const size = pick(sizes, choice);
  if (size === undefined) return undefined;
  const first = Math.ceil(field.offset / size) * size;
  const places = Math.floor((Math.min(field.size, 256) - (first - field.offset)) / size);
  return places < 1 ? undefined : { size, off: first + size * ((choice >> 2) % places) };
}

export const field: Emit = (w, { a, b, c }) => {
  const chosen = pick(w.abilities.readable, b);
  if (!w.hasContext || chosen === undefined) return;
  const place = placeIn(chosen, chosen.reads, c);
  if (place === undefined) return;
  const dst = w.target(a);
  w.draft.emit(load(place.size), { dst, src: CONTEXT, off: place.off });
  w.draft.set(dst, boundOf(place.size));
};

export const fieldWritten: Emit = (w, { a, b, c }) => {
  const chosen = pick(w.abilities.writable, b);
  if (!w.hasContext || chosen === undefined) return;
  const place = placeIn(chosen, chosen.writes, c);
  if (place !== undefined)
    w.draft.emit(store(place.size), { dst: CONTEXT, src: someNumber(w, a), off: place.off });
};
