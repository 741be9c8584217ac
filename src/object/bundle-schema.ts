/** The form of a bundle file (see `bundle.ts`). */
import { z } from "zod";
import { MAP_TYPES } from "../semantics/program/map-types.ts";
import { CAPABILITIES } from "../semantics/program/privileges.ts";
import {
  ATTACH_TYPES,
  LOAD_FLAGS,
  type LoadFlag,
  PROGRAM_TYPES,
} from "../semantics/program/program-types.ts";
import { hex, u32 } from "./schema.ts";

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
  asm: z.union([z.string(), z.array(z.string())], "not a text or a list of lines").optional(),
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
