/**
 * Where a campaign against a kernel keeps how far it has come and what it has found. Files are written beside their place and moved there: one that is killed
 * goes on where it was saved last, and loses no finding.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const count = z.number().int().nonnegative();

const findingSchema = z.strictObject({
  /** The oracle and what findings of one cause have in common. */
  key: z.string(),
  message: z.string(),
  kernel: z.string(),
  seed: z.number().int(),
  /** The bundle's file. */
  program: z.string(),
  instructions: count,
  /** A bundle that goes on from a wrong bound to memory that is not there. */
  hole: z.string().optional(),
  packet: z.string(),
  value: z.string(),
  /** Of a kernel that did not survive it. */
  console: z.string().optional(),
});

export type KernelFinding = z.infer<typeof findingSchema>;

const stateSchema = z.strictObject({
  kernel: z.string(),
  seed: z.number().int(),
  /** The first seed that nobody has looked at. */
  next: z.number().int(),
  seconds: z.number().nonnegative(),
  programs: count,
  accepted: count,
  rejected: count,
  /** Programs whose log was too long. */
  long: count,
  runs: count,
  /** Numbers that were held against the kernel's bounds. */
  compared: count,
  kernelRuns: count,
  guests: count,
  /** Seconds by what they were spent on. */
  spent: z.record(z.string(), z.number().nonnegative()),
  /** How often each kind of finding was met, kept or not. */
  met: z.record(z.string(), count),
  /** Our verdict and the kernel's, of every so many programs. */
  verdicts: z.record(z.string(), count),
  findings: z.array(findingSchema),
});

export type KernelState = z.infer<typeof stateSchema>;

export const newState = (kernel: string, seed: number): KernelState => ({
  kernel,
  seed,
  next: seed,
  seconds: 0,
  programs: 0,
  accepted: 0,
  rejected: 0,
  long: 0,
  runs: 0,
  compared: 0,
  kernelRuns: 0,
  guests: 0,
  spent: {},
  met: {},
  verdicts: {},
  findings: [],
});

export class KernelStore {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** How far an earlier campaign came. @throws ZodError for a file that is none of ours */
  state(): KernelState | undefined {
    const path = join(this.directory, "state.json");
    return existsSync(path) ? stateSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : undefined;
  }

  save(state: KernelState): void {
    this.#write("state.json", `${JSON.stringify(state, undefined, 1)}\n`);
  }

  saveProgram(name: string, bundle: string): void {
    this.#write(name, bundle);
  }

  #write(name: string, text: string): void {
    const path = join(this.directory, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }
}
