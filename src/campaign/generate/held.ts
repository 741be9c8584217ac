/** What registers and stack slots of a program in the making hold. That is a rough idea of what a verifier knows: it decides what to emit next, and nothing else. */

export type Held =
  | { readonly kind: "nothing" }
  /** At most `most`, and at least 0; undefined if there is no such bound. */
  | { readonly kind: "number"; readonly most: number | undefined }
  | { readonly kind: "context" }
  /** `range` bytes from it on are known to be there. */
  | { readonly kind: "packet"; readonly range: number; readonly meta: boolean }
  | { readonly kind: "packet_end" }
  /** `size` bytes from it on are there; it goes with the object of number `life`, if that is not 0. */
  | {
      readonly kind: "memory";
      readonly size: number;
      readonly writable: boolean;
      readonly life: number;
      /** Whether helpers take it: maps' values and objects of ring buffers. */
      readonly plain: boolean;
    }
  /** A map that was found in a map: of the shape of that number. */
  | { readonly kind: "map"; readonly map: number }
  | { readonly kind: "socket"; readonly life: number }
  /** What it may be, or null; copies have the same number. */
  | { readonly kind: "maybe"; readonly id: number; readonly held: Held }
  /** A pointer to the frame: at `offset`. */
  | { readonly kind: "frame"; readonly offset: number };

export const NOTHING: Held = { kind: "nothing" };
export const NUMBER: Held = { kind: "number", most: undefined };
export const atMost = (most: number): Held => ({ kind: "number", most });

/** Memory that is there as long as the program runs. */
export const memory = (size: number, writable = true): Held => ({
  kind: "memory",
  size,
  writable,
  life: 0,
  plain: true,
});

/** Memory, or a socket, that goes with something. */
export const lifeOf = (held: Held): number =>
  held.kind === "memory" || held.kind === "socket"
    ? held.life
    : held.kind === "maybe"
      ? lifeOf(held.held)
      : 0;

/** What a value is that comes from either of two ways. */
export function either(a: Held, b: Held): Held {
  if (a === b) return a;
  if (a.kind !== b.kind) return NOTHING;
  if (a.kind === "number" && b.kind === "number") {
    return {
      kind: "number",
      most: a.most === undefined || b.most === undefined ? undefined : Math.max(a.most, b.most),
    };
  }
  if (a.kind === "packet" && b.kind === "packet")
    return a.meta === b.meta ? { ...a, range: Math.min(a.range, b.range) } : NOTHING;
  if (a.kind === "memory" && b.kind === "memory")
    return a.size === b.size && a.writable === b.writable && a.life === b.life ? a : NOTHING;
  if (a.kind === "frame" && b.kind === "frame") return a.offset === b.offset ? a : NOTHING;
  if (a.kind === "socket" && b.kind === "socket") return a.life === b.life ? a : NOTHING;
  if (a.kind === "maybe" && b.kind === "maybe") return a.id === b.id ? a : NOTHING;
  if (a.kind === "map" && b.kind === "map") return a.map === b.map ? a : NOTHING;
  return a;
}
