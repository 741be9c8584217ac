/** Exit statuses, and what becomes of errors: no stack trace ever reaches a user unless SOUNDCHECK_DEBUG=1 asks for it. */
import { shellWord } from "../campaign/findings.ts";
import { GuestFailure } from "../oracle/guest/failure.ts";
import { InputError, Unsupported } from "../semantics/errors.ts";
import { complain } from "./terminal.ts";

/** The worst of what a command meets is its exit status. */
export const STATUS = {
  /** All held. */
  held: 0,
  /** Something was found, or a program was rejected. */
  found: 1,
  /** What was asked could not be done: bad usage, an unreadable file, something not modelled. */
  impossible: 2,
  /** A bug in soundcheck. */
  fault: 3,
  /** Interrupted; what was done is saved. What a shell reports for SIGINT. */
  interrupted: 130,
} as const;

export type Status = (typeof STATUS)[keyof typeof STATUS];

export function worse(a: Status, b: Status): Status {
  return a > b ? a : b;
}

function commandLine(): string {
  return ["soundcheck", ...process.argv.slice(2)].map(shellWord).join(" ");
}

/** What an error says to a user, in one line, and the status it comes to. @param place what was being done, for errors that do not say it */
export function explain(
  error: unknown,
  place?: string,
): { readonly message: string; readonly status: Status } {
  if (error instanceof InputError) return { message: error.message, status: STATUS.impossible };
  const at = place === undefined ? "" : `${place}: `;
  if (error instanceof Unsupported) {
    return { message: `${at}unsupported: ${error.message}`, status: STATUS.impossible };
  }
  if (error instanceof GuestFailure) return { message: `${at}${error.message}`, status: STATUS.found };
  const message = error instanceof Error ? error.message : String(error);
  return { message: `${at}internal fault: ${message} (this is a bug in soundcheck)`, status: STATUS.fault };
}

/** Tells the user about an error on standard error; for a bug, also how to meet it again. */
export function report(error: unknown, place?: string): Status {
  const { message, status } = explain(error, place);
  complain(message);
  if (error instanceof GuestFailure) process.stderr.write(error.console);
  if (status !== STATUS.fault) return status;
  process.stderr.write(`Reproduce with: SOUNDCHECK_DEBUG=1 ${commandLine()}\n`);
  if (process.env["SOUNDCHECK_DEBUG"] === "1" && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ""}\n`);
  }
  return status;
}

/** Does one part of a command's work: an error ends the part, not the command. */
export async function attempt(place: string, part: () => Promise<Status> | Status): Promise<Status> {
  try {
    return await part();
  } catch (error) {
    return report(error, place);
  }
}
