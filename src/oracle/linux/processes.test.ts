/** Processes that make system calls for us. */
import { afterAll, describe, expect, it } from "vitest";
import { Processes } from "./processes.ts";

/** System calls of x86-64: getpid(2), dup(2), socket(2). */
const X64 = { dup: 32, getpid: 39, socket: 41 } as const;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;

function start(): Processes | string {
  if (process.platform !== "linux" || process.arch !== "x64") return `${process.platform} on ${process.arch}`;
  try {
    return new Processes(process.env);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const processes = start();

describe.skipIf(typeof processes === "string")(
  `processes (${typeof processes === "string" ? processes : "namespaces of their own"})`,
  () => {
    if (typeof processes === "string") return;
    afterAll(() => processes.stop());
    const results = (process: number, ...calls: readonly (readonly number[])[]): readonly number[] =>
      processes
        .calls(
          process,
          calls.map(([number = 0, ...values]) => ({ number, arguments: values })),
        )
        .map(({ result, errno }) => (errno === 0 ? result : -errno));

    it("are in a namespace of their own, and have no descriptors but what they open", () => {
      processes.fork(0, 1);
      expect(results(0, [X64.getpid])).toEqual([1]);
      expect(results(1, [X64.dup, 0], [X64.socket, AF_UNIX, SOCK_STREAM, 0], [X64.dup, 0])).toEqual([
        -9, 0, 1,
      ]);
      processes.exit(1);
    });

    it("fork, execute and end", () => {
      processes.fork(0, 1);
      results(1, [X64.socket, AF_UNIX, SOCK_STREAM, 0], [X64.socket, AF_UNIX, SOCK_STREAM + SOCK_CLOEXEC, 0]);
      processes.fork(1, 2);
      processes.exit(1);
      expect(processes.execute(2)).toEqual({ result: 0, errno: 0 });
      expect(results(2, [X64.dup, 0], [X64.dup, 1])).toEqual([1, 2]);
      processes.exit(2);
      processes.fork(0, 1);
      expect(results(1, [X64.dup, 0])).toEqual([-9]);
      processes.exit(1);
    });
  },
);
