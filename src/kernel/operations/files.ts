/** Operations on the BPF file system. */
import { z } from "zod";
import { inProcess, path } from "./fields.ts";

export const fileOperation = z.discriminatedUnion("do", [inProcess("unlink", { path })]);
