import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readBtf } from "./btf.ts";
import { readBundle } from "./bundle.ts";
import { ownTypes } from "./own-types.ts";
import { readObject } from "./programs.ts";
import { valueFields } from "./value-fields.ts";

/** The types of the corpus' cases of lists: those of map values, and of objects that are in lists and trees or own others. */
const program = (name: string) => {
  const file = new URL(`../../corpus/verifier/${name}.prog.json`, import.meta.url);
  return readBundle(readFileSync(file, "utf8")).program;
};
const btf = readBtf(program("list-an-object-put-at-its-front").btf!);
const idOf = (name: string): number => btf.findKind(name, "struct")!;
const struct = (name: string) => ownTypes(btf)(idOf(name));

test("a list or tree says what it is made of, and where the links are", () => {
  expect(valueFields(btf, idOf("value"))).toEqual([
    { kind: "spin_lock", offset: 0 },
    { kind: "list_head", offset: 8, node: { struct: idOf("own_item"), offset: 8 } },
    { kind: "rb_root", offset: 24, node: { struct: idOf("own_leaf"), offset: 8 } },
    { kind: "list_head", offset: 40, node: { struct: idOf("own_both"), offset: 16 } },
    { kind: "rb_root", offset: 56, node: { struct: idOf("own_both"), offset: 40 } },
  ]);
});

test("a structure has its size, what the kernel keeps in it, and its members", () => {
  const holder = struct("own_holder");
  expect(holder).toMatchObject({ name: "own_holder", size: 16, numbers: false });
  expect(holder?.fields).toEqual([
    { kind: "kptr_ref", offset: 8, type: "own_plain", struct: idOf("own_plain") },
  ]);
  expect(holder?.fieldAt(0, 8).kind).toBe("found");
  expect(holder?.fieldAt(16, 8)).toMatchObject({
    errno: "EACCES",
    message: "access beyond struct own_holder at off 16 size 8",
  });
});

test("what is made of numbers alone is told from what has pointers", () => {
  expect(struct("own_scalars")?.numbers).toBe(true);
  expect(struct("own_plain")?.numbers).toBe(false);
});

test("what may lead to others of its own type is told", () => {
  const { btf: bytes, ownTypes: types } = program("allocated-object-that-may-lead-to-others-of-its-type");
  const chain = readBtf(bytes!).findKind("own_chain", "struct")!;
  expect(types?.(chain)?.name).toBe("own_chain");
  expect(types?.(chain)?.owns.has(chain)).toBe(true);
  const list = struct("own_list");
  expect(list?.owns.has(list.id)).toBe(false);
  expect(list?.owns.has(struct("own_item")?.id ?? 0)).toBe(true);
});

test("only structures are objects", () => {
  expect(struct("own_item")?.size).toBe(40);
  for (const id of [0, -1, btf.count, btf.findKind("own_union", "union")!, btf.findKind("int", "int")!]) {
    expect(ownTypes(btf)(id)).toBeUndefined();
  }
});

test.each(["el", "eb"])("global data says what its lists and trees are made of (%s)", (order) => {
  const url = new URL(`testdata/lists.${order}.o`, import.meta.url);
  const found = readObject(readFileSync(url)).programs.find(({ name }) => name === "drop_one");
  const guarded = found?.maps.find(({ name }) => name.includes(".data.guarded"));
  const nodes = guarded?.fields?.map(({ kind, node }) => {
    const type = node === undefined ? undefined : found?.ownTypes?.(node.struct)?.name;
    return [kind, type, node?.offset];
  });
  expect(new Set(nodes)).toEqual(
    new Set([
      ["spin_lock", undefined, undefined],
      ["rb_root", "leaf", 8],
      ["list_head", "flow", 8],
    ]),
  );
});
