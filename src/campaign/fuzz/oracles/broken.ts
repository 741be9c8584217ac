/** The campaign itself works. Nothing of a case says so: what dies or fails is found where jobs are asked for (`worker.ts`, `engine.ts`). */
import type { Oracle } from "./oracle.ts";

export const broken: Oracle = { name: "broken", judge: () => [] };
