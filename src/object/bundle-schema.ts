/** The form of a bundle file (see `bundle.ts`), and errors that name the path to what does not fit it. */
import { z } from "zod";
import { MAP_TYPES } from "../semantics/program/map-types.ts";
import { CAPABILITIES } from "../semantics/program/privileges.ts";
import {
  ATTACH_TYPES,
  LOAD_FLAGS,
  type LoadFlag,
  PROGRAM_TYPES,
} from "../semantics/program/program-types.ts";

const u32 = z.int().min(0).max(0xffff_ffff);

export const hex = z.string().transform((text, context): Uint8Array => {
  const digits = text.replace(/\s+/g, "");
  const wrong = /[^0-9a-fA-F]/u.exec(digits)?.[0];
  if (wrong !== undefined) context.addIssue(`${JSON.stringify(wrong)} is not a hex digit`);
  else if (digits.length % 2 !== 0) context.addIssue(`${digits.length} hex digits are not whole bytes`);
  else return new Uint8Array(Buffer.from(digits, "hex"));
  return z.NEVER;
});

const innerMap = z.strictObject({
  name: z.string(),
  type: z.enum(MAP_TYPES).exclude(["unspec"]),
  key_size: u32,
  value_size: u32,
  max_entries: u32,
  flags: u32.default(0),
  data: hex.optional(),
  frozen: z.boolean().default(false),
  fields: z
    .array(
      z.strictObject({
        kind: z.string(),
        offset: u32,
        type: z.string().optional(),
        struct: u32.optional(),
        node: z.strictObject({ struct: u32, offset: u32 }).optional(),
      }),
    )
    .default([]),
  btf_key: u32.optional(),
  btf_value: u32.optional(),
});

const map = innerMap.extend({ inner: innerMap.extend({ name: z.string().default("inner") }).optional() });

const LOAD_FLAG_NAMES = Object.keys(LOAD_FLAGS).filter((name): name is LoadFlag => name in LOAD_FLAGS);

/** A bundle as it stands in the file, with hex read into bytes and what may be left out filled in. */
export const bundleSchema = z.strictObject({
  name: z.string(),
  type: z.enum(PROGRAM_TYPES).exclude(["unspec"]),
  attach: z.enum(ATTACH_TYPES).optional(),
  target: z.string().optional(),
  license: z.string().default("GPL"),
  flags: z.array(z.enum(LOAD_FLAG_NAMES)).default([]),
  privileges: z.array(z.enum(CAPABILITIES)).optional(),
  insns: hex.optional(),
  asm: z.union([z.string(), z.array(z.string())]).optional(),
  maps: z.array(map).default([]),
  kfuncs: z.array(z.string()).default([]),
  ksyms: z
    .array(
      z.union([
        z.string().transform((name) => ({ name, typed: true })),
        z.strictObject({ name: z.string(), typed: z.boolean() }),
      ]),
    )
    .default([]),
  btf: hex.optional(),
  func_info: z.array(z.strictObject({ insn: u32, type_id: u32 })).default([]),
  expect: z
    .strictObject({
      verdict: z.enum(["accept", "reject"]),
      message: z.string().optional(),
      runs: z
        .array(
          z.strictObject({
            packet: hex.optional(),
            context: hex.optional(),
            // Programs return negative values too: the same 32 bits.
            retval: z
              .int()
              .min(-0x8000_0000)
              .max(0xffff_ffff)
              .transform((value) => value >>> 0),
          }),
        )
        .default([]),
    })
    .optional(),
});

export type BundleFile = z.infer<typeof bundleSchema>;
export type MapFile = z.infer<typeof map>;

/** What does not fit first, as one line. */
export function explain(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return "not a bundle";
  const path = pathText(issue.path);
  switch (issue.code) {
    case "unrecognized_keys": {
      const key = issue.keys[0] ?? "";
      return `${pathText([...issue.path, key])}: unknown key`;
    }
    case "invalid_value":
      return `${path}: not one of ${issue.values.map(String).join(", ")}`;
    case "invalid_union":
      return `${path}: not a text or a list of lines`;
    default:
      return `${path}: ${issue.message}`;
  }
}

/** `maps[0].type`; the whole is `bundle`. */
function pathText(path: readonly PropertyKey[]): string {
  const text = path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${printable(String(key))}`))
    .join("");
  return text === "" ? "bundle" : text.replace(/^\./, "");
}

function printable(key: string): string {
  return /^\w+$/.test(key) ? key : JSON.stringify(key);
}
