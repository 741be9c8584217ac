/** Finds what the kernel treats specially in a map's value: locks, timers, list heads, pointers to kernel objects. */
import type { MapField } from "../semantics/program/map-types.ts";
import { type Btf, DEEPEST } from "./btf.ts";

/** The structures that the kernel knows by name (Documentation/bpf/kptr and map documentation), and what it calls them. */
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ["bpf_spin_lock", "spin_lock"],
  ["bpf_res_spin_lock", "res_spin_lock"],
  ["bpf_timer", "timer"],
  ["bpf_wq", "workqueue"],
  ["bpf_task_work", "task_work"],
  ["bpf_list_head", "list_head"],
  ["bpf_list_node", "list_node"],
  ["bpf_rb_root", "rb_root"],
  ["bpf_rb_node", "rb_node"],
  ["bpf_refcount", "refcount"],
]);

/** Type tags of pointers to kernel objects. */
const POINTERS: ReadonlyMap<string, string> = new Map([
  ["kptr_untrusted", "kptr"],
  ["kptr", "kptr_ref"],
  ["percpu_kptr", "kptr_percpu"],
  ["uptr", "uptr"],
]);

/** More than the kernel takes (BTF_FIELDS_MAX is 11); bounds the work for a hostile type. */
const MOST_FIELDS = 64;
const MOST_VISITS = 10_000;

/** The special fields of a value of the type, by offset. */
export function valueFields(btf: Btf, id: number): MapField[] {
  const fields: MapField[] = [];
  let visits = 0;
  /** @param tag  what a declaration tag of the member or variable says that it contains */
  const visit = (type: number, offset: number, depth: number, tag?: string): void => {
    if (depth > DEEPEST || fields.length >= MOST_FIELDS || visits++ > MOST_VISITS) return;
    const found = btf.resolve(type).type;
    switch (found.kind) {
      case "struct":
      case "union": {
        const kind = SPECIAL.get(found.name);
        if (kind !== undefined) {
          const node = tag === undefined ? undefined : nodeOf(btf, tag);
          fields.push({ kind, offset, ...(node === undefined ? {} : { node }) });
          return;
        }
        const holder = btf.resolve(type).id;
        found.members.forEach((member, index) => {
          visit(
            member.type,
            offset + Math.floor(member.bitOffset / 8),
            depth + 1,
            containsTag(btf, holder, index),
          );
        });
        return;
      }
      case "datasec":
        for (const entry of found.vars) visit(entry.type, entry.offset, depth + 1);
        return;
      case "var":
        visit(found.type, offset, depth + 1, containsTag(btf, btf.resolve(type).id, -1));
        return;
      case "array": {
        if (!mayHoldFields(btf, found.type)) return;
        const size = btf.size(found.type);
        for (let index = 0; index < Math.min(found.length, MOST_FIELDS); index++) {
          visit(found.type, offset + index * size, depth + 1);
        }
        return;
      }
      case "ptr": {
        const target = btf.type(found.type);
        const kind = target.kind === "type_tag" ? POINTERS.get(target.name) : undefined;
        if (kind === undefined) return;
        const { id: struct, type: object } = btf.resolve(found.type);
        fields.push({ kind, offset, ...("name" in object ? { type: object.name } : {}), struct });
        return;
      }
      case "void":
      case "int":
      case "enum":
      case "enum64":
      case "fwd":
      case "typedef":
      case "volatile":
      case "const":
      case "restrict":
      case "type_tag":
      case "func":
      case "func_proto":
      case "float":
      case "decl_tag":
        return;
    }
  };
  visit(id, 0, 0);
  return isTaken(fields) ? fields.sort((a, b) => a.offset - b.offset) : [];
}

/** Fields of which a value has one at most. */
const SINGLE: ReadonlySet<string> = new Set([
  "spin_lock",
  "res_spin_lock",
  "timer",
  "workqueue",
  "task_work",
  "refcount",
]);

/** Whether a kernel takes the fields together: of what it does not take it refuses the types, and loaders go on without them. */
function isTaken(fields: readonly MapField[]): boolean {
  const kinds = fields.map(({ kind }) => kind).filter((kind) => SINGLE.has(kind));
  const locks = kinds.filter((kind) => kind === "spin_lock" || kind === "res_spin_lock");
  return new Set(kinds).size === kinds.length && locks.length <= 1;
}

const CONTAINS = "contains:";

/** The declaration tags of a program's types that say what a list or tree contains, by type and member; -1 for a variable's own. */
const TAGS = new WeakMap<Btf, ReadonlyMap<string, string>>();

function containsTag(btf: Btf, type: number, component: number): string | undefined {
  let tags = TAGS.get(btf);
  if (tags === undefined) {
    tags = new Map(readTags(btf));
    TAGS.set(btf, tags);
  }
  return tags.get(`${type}:${component}`);
}

function* readTags(btf: Btf): Generator<[string, string]> {
  for (let id = 1; id < btf.count; id += 1) {
    if (btf.kind(id) !== "decl_tag") continue;
    const tag = btf.type(id);
    if (tag.kind !== "decl_tag" || !tag.name.startsWith(CONTAINS)) continue;
    yield [`${tag.type}:${tag.component}`, tag.name.slice(CONTAINS.length)];
  }
}

/** The structure and member that `STRUCT:MEMBER` names; undefined if there is no such. */
function nodeOf(btf: Btf, tag: string): MapField["node"] {
  const [name = "", memberName] = tag.split(":");
  const struct = btf.findKind(name, "struct");
  const type = struct === undefined ? undefined : btf.type(struct);
  if (struct === undefined || type?.kind !== "struct") return undefined;
  const member = type.members.find((each) => each.name === memberName);
  return member === undefined ? undefined : { struct, offset: member.bitOffset >>> 3 };
}

function mayHoldFields(btf: Btf, element: number): boolean {
  const { kind } = btf.resolve(element).type;
  return kind === "struct" || kind === "union" || kind === "ptr" || kind === "array";
}
