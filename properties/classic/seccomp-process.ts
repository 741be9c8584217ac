/** A process of its own with filters of system calls on it. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** Filters are `struct sock_filter`s in hexadecimal. */
export type Order =
  /** What the kernel says of each filter, without keeping it. */
  | { readonly do: "try"; readonly filters: readonly string[] }
  | { readonly do: "install"; readonly filters: readonly string[] }
  /** Makes system calls: the number, then the arguments. */
  | { readonly do: "call"; readonly calls: readonly (readonly number[])[] };

/** By filter the error's name, or null; by call the error's number, or 0. */
export type Answer = readonly (string | number | null)[];

export class SeccompProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<NodeJS.Signals | null>;

  constructor() {
    const path = fileURLToPath(new URL("seccomp-child.ts", import.meta.url));
    const args = ["--import", import.meta.resolve("tsx"), path];
    this.#child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin.on("error", () => undefined);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((resolve) => {
      this.#child.on("close", (_, signal) => resolve(signal));
    });
  }

  /** @returns the answer; the signal's name if the process did not live to give one */
  async order(order: Order): Promise<Answer | string> {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    const line = await this.#lines.next();
    if (line.done !== true) return JSON.parse(line.value);
    return (await this.#ended) ?? "ended";
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
  }
}
