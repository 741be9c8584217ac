/** Operations of processes on their descriptors. */
import { z } from "zod";
import { descriptor, inProcess } from "./fields.ts";

export const processOperation = z.discriminatedUnion("do", [
  /** The answer's result is the new process's number: processes are numbered as they come, from 1 on. */
  inProcess("fork", {}),
  inProcess("exit", {}),
  inProcess("dup", { fd: descriptor }),
  inProcess("close", { fd: descriptor }),
]);
