/** `soundcheck doctor`: what this machine offers. */
import { doctorFacts } from "../oracle/doctor.ts";
import { STATUS, type Status } from "./status.ts";
import { out, outJson, paint } from "./terminal.ts";

export function doctor({ json }: { readonly json?: true }): Status {
  const facts = doctorFacts(process.env);
  const width = Math.max(...facts.map(({ name }) => name.length));
  for (const fact of facts) {
    const { name, ok, detail } = fact;
    if (json === true) outJson(fact);
    else out(`${ok ? paint("green", "yes") : paint("yellow", " no")}  ${name.padEnd(width)}  ${detail}\n`);
  }
  if (json !== true) out("\nNothing here is required: what is missing is left out, and said so.\n");
  return STATUS.held;
}
