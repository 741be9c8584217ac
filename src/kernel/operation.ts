/** What is done to a system of BPF objects, as plain data: a line of a trace is one operation. */
import { z } from "zod";
import { attachmentOperation } from "./operations/attachments.ts";
import { bpfOperation } from "./operations/bpf.ts";
import { fileOperation } from "./operations/files.ts";
import { processOperation } from "./operations/processes.ts";

export const operationSchema = z.discriminatedUnion("do", [
  processOperation,
  fileOperation,
  bpfOperation,
  attachmentOperation,
]);

export type Operation = z.infer<typeof operationSchema>;
