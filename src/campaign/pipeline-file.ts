/** Files that describe a pipeline (`soundcheck run --pipeline`): devices with programs at their hooks, sockets, and where packets come in. */
import { z } from "zod";
import { parseJson } from "../object/json.ts";
import { explain, hex, u32 } from "../object/schema.ts";
import { InputError } from "../semantics/errors.ts";
import { TC_ACT } from "../vm/pipeline/verdicts.ts";
import { linkAddress } from "./addresses.ts";
import { environmentSchema } from "./environment-file.ts";

/** A file, of which `#` chooses a program where there are several, or a bundle. */
const program = z.union([z.string(), z.record(z.string(), z.unknown())], "not a file's name or a bundle");

const name = z.string().regex(/^[\w.-]+$/, "letters, digits, _, . and - alone make a name");

/** `1:42`, hexadecimal as tc(8) writes it. */
const classid = z.string().transform((text, context): number => {
  const [, major, minor] = /^([0-9a-fA-F]{0,4}):([0-9a-fA-F]{1,4})$/.exec(text) ?? [];
  if (major !== undefined && minor !== undefined) {
    return ((parseInt(`0${major}`, 16) << 16) | parseInt(minor, 16)) >>> 0;
  }
  context.addIssue('a class is written "1:42", in hexadecimal');
  return z.NEVER;
});

/** An action that asks for itself again for ever is none. */
const { repeat: _repeat, redirect: _redirect, ...verdicts } = TC_ACT;
const VERDICTS = Object.keys(verdicts).filter((key): key is keyof typeof verdicts => key in verdicts);
const verdict = z.enum(VERDICTS).transform((key) => TC_ACT[key]);

const action = z.union(
  [z.strictObject({ program, verdict: verdict.default(TC_ACT.unspec) }), z.strictObject({ verdict })],
  "not an action: a verdict, or a program",
);

const traffic = z.strictObject({
  tcx: z.array(program).default([]),
  clsact: z
    .array(
      z.strictObject({
        program,
        direct_action: z.boolean().default(true),
        classid: classid.default(0),
        actions: z.array(action).default([]),
      }),
    )
    .default([]),
});

const pipelineSchema = z.strictObject({
  devices: z
    .array(
      z.strictObject({
        name,
        ifindex: u32.min(1).optional(),
        address: linkAddress.optional(),
        mtu: u32.default(1500),
        peer: name.optional(),
        xdp: z
          .strictObject({
            offloaded: program.optional(),
            native: program.optional(),
            generic: program.optional(),
          })
          .default({}),
        ingress: traffic.prefault({}),
        egress: traffic.prefault({}),
      }),
    )
    .min(1, "no device"),
  sockets: z
    .array(
      z.strictObject({
        name,
        device: name,
        protocol: z
          .union([z.literal("all"), z.int().min(0).max(0xffff)], "not all or a number")
          .default("all"),
        filter: program.optional(),
      }),
    )
    .default([]),
  input: z
    .strictObject({ device: name, direction: z.enum(["receive", "transmit"]).default("receive") })
    .optional(),
  pinned: z.array(z.string()).default([]),
  maps: z.record(z.string(), z.array(z.tuple([hex, hex]))).default({}),
  environment: environmentSchema.default({}),
});

export type PipelineFile = z.infer<typeof pipelineSchema>;
export type ProgramReference = z.infer<typeof program>;

/** @throws InputError  with the place of what does not fit */
export function readPipeline(text: string): PipelineFile {
  const parsed = pipelineSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new InputError(explain(parsed.error, "pipeline"));
  const file = parsed.data;
  checkNames(file);
  return file;
}

/** What names each other is there, and nothing has two meanings. */
function checkNames({ devices, sockets, input }: PipelineFile): void {
  const names = new Set<string>();
  const numbers = new Set<number>();
  for (const [at, { name, ifindex, xdp }] of devices.entries()) {
    if (names.has(name)) throw new InputError(`devices[${at}].name: there are two devices ${name}`);
    names.add(name);
    const number = ifindex ?? at + FIRST_IFINDEX;
    if (numbers.has(number)) throw new InputError(`devices[${at}].ifindex: there are two devices ${number}`);
    numbers.add(number);
    if (xdp.native !== undefined && xdp.generic !== undefined) {
      throw new InputError(`devices[${at}].xdp: Linux has either a native or a generic program on a device`);
    }
  }
  for (const [at, { name, peer }] of devices.entries()) {
    if (peer === undefined) continue;
    const other = devices.find((device) => device.name === peer);
    if (other?.peer !== name || peer === name) {
      throw new InputError(`devices[${at}].peer: ${peer} is no device whose peer is ${name}`);
    }
  }
  const named = new Set<string>();
  for (const [at, { name, device }] of sockets.entries()) {
    if (named.has(name)) throw new InputError(`sockets[${at}].name: there are two sockets ${name}`);
    named.add(name);
    if (!names.has(device)) throw new InputError(`sockets[${at}].device: there is no device ${device}`);
  }
  if (input !== undefined && !names.has(input.device)) {
    throw new InputError(`input.device: there is no device ${input.device}`);
  }
}

/** The loopback device is the first of every machine. */
export const FIRST_IFINDEX = 2;
