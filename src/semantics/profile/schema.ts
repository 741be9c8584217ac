/** Profiles from JSON: every key and every name is checked, so that a profile is what its type says. */
import { z } from "zod";
import { InputError } from "../errors.ts";
import { MAP_TYPES } from "../program/map-types.ts";
import { ATTACH_TYPES, PROGRAM_TYPES } from "../program/program-types.ts";
import {
  ALLOWANCES,
  ARGUMENT_KINDS,
  CONTEXT_VALUES,
  KFUNC_FLAGS,
  type Profile,
  RETURN_KINDS,
  TYPE_FLAGS,
  WORDINGS,
} from "./profile.ts";

const count = z.int().min(0);
const yes = z.literal(true);
const size = z.literal([1, 2, 4, 8]);
const mapTypes = z.array(z.enum(MAP_TYPES));
const flags = z.array(z.enum(TYPE_FLAGS));
const ranges = z.string().regex(/^(\d+(-\d+)?( \d+(-\d+)?)*)?$/, "expected numbers and ranges such as 1-3 5");

const prototype = z.strictObject({
  func: z.string(),
  args: z.array(
    z.strictObject({
      kind: z.enum(ARGUMENT_KINDS),
      flags: flags.exactOptional(),
      size: count.exactOptional(),
      type: z.string().exactOptional(),
    }),
  ),
  returns: z.strictObject({
    kind: z.enum(RETURN_KINDS),
    flags: flags.exactOptional(),
    type: z.string().exactOptional(),
  }),
  gplOnly: yes.exactOptional(),
  packetMemory: yes.exactOptional(),
  sleeps: yes.exactOptional(),
  fastcall: yes.exactOptional(),
});

const helper = z.strictObject({
  id: count,
  name: z.string(),
  changesPacket: yes.exactOptional(),
  maps: mapTypes.exactOptional(),
  prototypes: z.array(prototype),
});

const context = z.strictObject({
  struct: z.string(),
  size: count,
  anyAlignment: yes.exactOptional(),
  fields: z.array(
    z.strictObject({
      name: z.string(),
      offset: count,
      size: count,
      value: z.enum(CONTEXT_VALUES),
      flags: flags.exactOptional(),
      type: z.string().exactOptional(),
      held: yes.exactOptional(),
      reads: z.array(size),
      writes: z.array(size),
    }),
  ),
});

const program = z.strictObject({
  type: z.enum(PROGRAM_TYPES),
  attach: z.enum(ATTACH_TYPES).exactOptional(),
  callback: z.string().exactOptional(),
  sleepable: yes.exactOptional(),
  context: z.string().exactOptional(),
  packet: z.enum(["none", "read", "write"]),
  returns: z.tuple([z.int(), z.int()]).exactOptional(),
  noResult: yes.exactOptional(),
  privateStack: yes.exactOptional(),
  writes: z.record(z.string(), z.string()).exactOptional(),
  helpers: z.strictObject({
    everybody: ranges,
    gplOnly: ranges,
    prototypes: z.record(z.string(), z.int().min(-1)).exactOptional(),
  }),
  forbiddenMaps: mapTypes.exactOptional(),
  mapsWithout: z.record(z.string(), mapTypes).exactOptional(),
});

const kfuncValue = z.strictObject({
  name: z.string().exactOptional(),
  kind: z.enum(["void", "scalar", "pointer", "struct"]),
  size: count.exactOptional(),
  signed: yes.exactOptional(),
  to: z.string().exactOptional(),
  const: yes.exactOptional(),
  plain: yes.exactOptional(),
});

const argumentPointer = z.strictObject({
  value: z.enum(["btf_id", "buffer"]),
  flags: flags.exactOptional(),
});

const schema = z.strictObject({
  kernel: z.string().regex(/^\d+\.\d+$/, "expected a version such as 6.18"),
  release: z.string(),
  arch: z.string(),
  limits: z.strictObject({
    insns: count,
    stack: count,
    privateStack: count.exactOptional(),
    uninitialisedStack: z.boolean(),
    frames: count,
    processed: count,
  }),
  contextStoresImmediate: z.boolean(),
  allows: z.array(z.enum(ALLOWANCES)),
  words: z.array(z.enum(WORDINGS)),
  unknownInstructions: z.array(z.string()),
  capabilities: z.strictObject({ bpf: ranges, perfmon: ranges }).exactOptional(),
  attachTypes: z.record(z.string(), z.union([z.literal("any"), z.array(z.enum(ATTACH_TYPES))])),
  maps: z.array(
    z.strictObject({
      type: z.enum(MAP_TYPES),
      key: count,
      value: count,
      entries: count,
      flags: count,
      struct: z.string().exactOptional(),
    }),
  ),
  contexts: z.record(z.string(), context),
  functions: z
    .strictObject({
      missing: z.string(),
      closed: z.string(),
      modifiable: z.string(),
      sleepable: z.string(),
    })
    .exactOptional(),
  targets: z
    .partialRecord(
      z.enum(ATTACH_TYPES),
      z.strictObject({
        known: z.string(),
        usual: argumentPointer,
        others: z.record(z.string(), z.record(z.string(), argumentPointer)),
        returns: z
          .record(z.string(), z.union([z.literal("any"), z.tuple([z.int(), z.int()])]))
          .exactOptional(),
        refused: z.record(z.string(), z.string()).exactOptional(),
      }),
    )
    .exactOptional(),
  programs: z.record(z.string(), program),
  callbacks: z
    .record(
      z.string(),
      z.record(
        z.string(),
        z.strictObject({
          plain: z.string().exactOptional(),
          sleepable: z.string().exactOptional(),
          unknown: yes.exactOptional(),
        }),
      ),
    )
    .exactOptional(),
  helpers: z.array(helper),
  callers: z.array(z.array(z.string())),
  kfuncs: z.array(
    z.strictObject({
      name: z.string(),
      flags: z.array(z.enum(KFUNC_FLAGS)),
      args: z.array(kfuncValue),
      returns: kfuncValue,
      changesPacket: yes.exactOptional(),
      callers: count,
    }),
  ),
});

/** @throws InputError, one line, that names the place of the first thing that does not belong */
export function parseProfile(value: unknown): Profile {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue?.path.map(String).join(".") ?? "";
    throw new InputError(`not a profile: ${place === "" ? "" : `${place}: `}${issue?.message ?? ""}`);
  }
  const profile = parsed.data;
  for (const [name, { context, writes = {} }] of Object.entries(profile.programs)) {
    for (const used of [...(context === undefined ? [] : [context]), ...Object.values(writes)]) {
      if (!(used in profile.contexts)) {
        throw new InputError(`not a profile: programs.${name}: there is no context ${used}`);
      }
    }
  }
  for (const [struct, members] of Object.entries(profile.callbacks ?? {})) {
    for (const kind of Object.values(members).flatMap(({ plain, sleepable }) => [plain, sleepable])) {
      if (kind !== undefined && !(kind in profile.programs)) {
        throw new InputError(`not a profile: callbacks.${struct}: there is no kind ${kind}`);
      }
    }
  }
  for (const { name, callers } of profile.kfuncs) {
    if (profile.callers[callers] === undefined) {
      throw new InputError(`not a profile: kfuncs: ${name}: there are no callers ${callers}`);
    }
  }
  return profile;
}
