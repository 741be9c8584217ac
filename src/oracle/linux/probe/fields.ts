/** From the accesses to a context that a kernel permits, one by one, to fields that say the same. */
import type { Size } from "../../../semantics/isa/instruction.ts";
import { fieldAt } from "../../../semantics/profile/lookup.ts";
import type { Context, ContextField, ContextValue, TypeFlag } from "../../../semantics/profile/profile.ts";

export const SIZES: readonly Size[] = [1, 2, 4, 8];

/** What an access gives. */
export interface Given {
  readonly value: ContextValue;
  readonly flags?: readonly TypeFlag[];
  readonly type?: string;
  readonly held?: true;
}

/** What is known of the aligned accesses below `end`, in bytes. */
export interface Accesses {
  readonly end: number;
  /** Whether accesses need not be aligned. */
  readonly anyAlignment?: boolean;
  readonly read: (offset: number, size: Size) => Given | undefined;
  readonly write: (offset: number, size: Size) => boolean;
}

/** A member of the context's structure. */
export interface Member {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/**
 * Fields that permit exactly these accesses: for each member of the structure the sizes that may be accessed anywhere in it and give the same
 * everywhere, and fields of their own for what is left: parts of members, and stretches that no member covers.
 */
export function fieldsOf(accesses: Accesses, struct: string, members: readonly Member[]): Context {
  const fields = members.map((member) => common(accesses, member)).filter(isOpen);
  fields.push(...left(accesses, members, fields));
  fields.sort((a, b) => a.offset - b.offset || b.size - a.size);
  const size = Math.max(0, ...[...members, ...fields].map((f) => f.offset + f.size));
  const context = {
    struct,
    size,
    ...(accesses.anyAlignment === true ? { anyAlignment: true as const } : {}),
    fields,
  };
  const wrong = firstDifference(accesses, context);
  if (wrong !== undefined)
    throw new Error(`the fields of ${struct} do not say what the kernel does: ${wrong}`);
  return context;
}

const isOpen = ({ reads, writes }: ContextField): boolean => reads.length > 0 || writes.length > 0;

/** The member with the sizes that all its aligned places permit; what the reads give is what the largest of them gives. */
function common({ read, write }: Accesses, member: Member): ContextField {
  const { offset, size } = member;
  const everywhere = (permitted: (at: number, bytes: Size) => boolean) => (bytes: Size) => {
    const places = aligned(offset, size, bytes);
    return places.length > 0 && places.every((at) => permitted(at, bytes));
  };
  const given = SIZES.toReversed().flatMap(
    (bytes) => read(aligned(offset, size, bytes)[0] ?? -1, bytes) ?? [],
  )[0];
  const reads = SIZES.filter(everywhere((at, bytes) => given !== undefined && same(read(at, bytes), given)));
  const writes = SIZES.filter(everywhere(write));
  return { ...member, ...(given ?? { value: "scalar" }), reads, writes };
}

const same = (a: Given | undefined, b: Given): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Fields for the accesses that `fields` do not say yet, as long as they go on alike. */
function left(
  { end, read, write }: Accesses,
  members: readonly Member[],
  fields: readonly ContextField[],
): ContextField[] {
  const said = { struct: "", size: 0, fields };
  const found: { -readonly [K in keyof ContextField]: ContextField[K] }[] = [];
  for (const size of SIZES) {
    for (let at = 0; at + size <= end; at += size) {
      const given = fieldAt(said, "read", at, size) === undefined ? read(at, size) : undefined;
      const written = write(at, size) && fieldAt(said, "write", at, size) === undefined;
      if (given === undefined && !written) continue;
      const field: ContextField = {
        name: nameAt(members, at),
        offset: at,
        size,
        ...(given ?? { value: "scalar" }),
        reads: given === undefined ? [] : [size],
        writes: written ? [size] : [],
      };
      const last = found.at(-1);
      const goesOn =
        last !== undefined &&
        last.offset + last.size === at &&
        nameAt(members, last.offset) === nameAt(members, at) &&
        JSON.stringify({ ...last, offset: 0, size: 0 }) === JSON.stringify({ ...field, offset: 0, size: 0 });
      if (goesOn) last.size += size;
      else found.push(field);
    }
  }
  return merged(found);
}

/** Fields of the same bytes and kind become one. */
function merged(fields: readonly ContextField[]): ContextField[] {
  const byPlace = new Map<string, ContextField>();
  for (const field of fields) {
    const { reads, writes, ...rest } = field;
    const key = JSON.stringify(rest);
    const known = byPlace.get(key);
    byPlace.set(
      key,
      known === undefined
        ? field
        : { ...known, reads: [...known.reads, ...reads], writes: [...known.writes, ...writes] },
    );
  }
  return [...byPlace.values()];
}

/** The member that the place is in; the offset where there is none, the same one for a whole stretch. */
function nameAt(members: readonly Member[], at: number): string {
  const member = members.find((m) => at >= m.offset && at < m.offset + m.size);
  if (member !== undefined) return member.name;
  const before = Math.max(0, ...members.filter((m) => m.offset + m.size <= at).map((m) => m.offset + m.size));
  return `at ${before}`;
}

function aligned(offset: number, size: number, bytes: Size): number[] {
  const places: number[] = [];
  for (let at = Math.ceil(offset / bytes) * bytes; at + bytes <= offset + size; at += bytes) places.push(at);
  return places;
}

function firstDifference({ end, read, write }: Accesses, context: Context): string | undefined {
  for (const size of SIZES) {
    for (let at = 0; at + size <= end; at += size) {
      const theirs = read(at, size);
      const ours = fieldAt(context, "read", at, size);
      if (theirs?.value !== ours?.value) return `a read of ${size} bytes at ${at}`;
      if (write(at, size) !== (fieldAt(context, "write", at, size) !== undefined)) {
        return `a write of ${size} bytes at ${at}`;
      }
    }
  }
  return undefined;
}
