/**
 * A process to put filters of system calls on: they stay for as long as it lives. Reads orders from standard input, one a line, as JSON, and answers each with a line.
 * `seccomp-process.ts` starts it.
 */
import { createInterface } from "node:readline";
import { call, type Memory } from "../../src/oracle/linux/calls.ts";
import { errnoName } from "../../src/oracle/linux/errno.ts";
import { THIS_MACHINE } from "../../src/oracle/linux/this-machine.ts";
import type { Answer, Order } from "./seccomp-process.ts";

/** In the system call tables, by Node's name of the architecture (asm/unistd.h). */
const SECCOMP: Readonly<Record<string, number>> = { x64: 317, arm64: 277 };
const SET_MODE_FILTER = 1;
const NEW_LISTENER = 8;

function install(hex: string, flags: number): string | undefined {
  const bytes = new Uint8Array(Buffer.from(hex, "hex"));
  const program = new Uint8Array(16);
  new DataView(program.buffer).setUint16(0, bytes.length / 8, true);
  const filter: Memory = { bytes, back: "nothing" };
  const pointer: Memory = { bytes: program, back: "nothing", pointers: [[8, filter]] };
  const number = SECCOMP[THIS_MACHINE.arch];
  if (number === undefined) throw new Error(`seccomp(2) on ${THIS_MACHINE.arch}`);
  const { errno } = call(THIS_MACHINE, number, [SET_MODE_FILTER, flags, pointer]);
  return errno === 0 ? undefined : errnoName(errno);
}

/** `ret ALLOW`. */
const ALLOW = "060000000000ff7f";
let listening = false;

/** What the kernel says of a filter that is not to stay: a second listener is refused, but only after the filter has been looked at. */
function tried(filter: string): string | undefined {
  if (!listening) {
    const failed = install(ALLOW, NEW_LISTENER);
    if (failed !== undefined) throw new Error(`a listener: ${failed}`);
    listening = true;
  }
  const errno = install(filter, NEW_LISTENER);
  return errno === "EBUSY" ? undefined : (errno ?? "it was installed");
}

function obey(order: Order): Answer {
  switch (order.do) {
    case "try":
      return order.filters.map((filter) => tried(filter) ?? null);
    case "install":
      return order.filters.map((filter) => install(filter, 0) ?? null);
    case "call":
      return order.calls.map(([number, ...args]) => {
        const { result, errno } = call(THIS_MACHINE, number ?? 0, args.map(BigInt));
        return errno === 0 ? Math.min(result, 0) : errno;
      });
    default:
      return order satisfies never;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const order: Order = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(obey(order))}\n`);
}
