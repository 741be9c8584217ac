/** `soundcheck verify --jsonl`: bundles on standard input, one a line; one answer a line, in the same order, as soon as it is known. */
import { readBundle } from "../object/bundle.ts";
import { checkFileSize } from "../object/read.ts";
import { inFile } from "../semantics/errors.ts";
import { asLoaded } from "./rules.ts";
import { explain, report, STATUS, type Status, worse } from "./status.ts";
import { breathe, outJson } from "./terminal.ts";
import { answerOf, answerOfEncoding, statusOf, timedVerify } from "./verify.ts";

/** The lines of a stream without their ends; the last need not have one. A line may be as long as a file. */
async function* linesOf(chunks: AsyncIterable<unknown>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    if (!(chunk instanceof Uint8Array)) throw new Error("standard input gives bytes");
    const [first = "", ...rest] = decoder.decode(chunk, { stream: true }).split("\n");
    pieces.push(first);
    size += first.length;
    checkFileSize("a line of standard input", size);
    for (const next of rest) {
      yield pieces.join("");
      pieces = [next];
      size = next.length;
    }
  }
  const last = pieces.join("") + decoder.decode();
  if (last !== "") yield last;
}

function answer(line: string, number: number): Status {
  try {
    const { program } = inFile(`line ${number}`, () => readBundle(line));
    const verified = timedVerify(asLoaded(program));
    outJson(answerOf(program.name, verified));
    return statusOf(verified.verdict);
  } catch (error) {
    const refused = answerOfEncoding(error);
    if (refused !== undefined) {
      outJson(refused);
      return statusOf(refused);
    }
    const { message, status } = explain(error, `line ${number}`);
    outJson({ line: number, error: message });
    return status === STATUS.fault ? report(error, `line ${number}`) : status;
  }
}

/** Answers every line that is not blank; one that is no bundle is answered with its `error`. */
export async function verifyStream(): Promise<Status> {
  let status: Status = STATUS.held;
  let number = 0;
  for await (const line of linesOf(process.stdin)) {
    number += 1;
    if (line.trim() === "") continue;
    status = worse(status, answer(line, number));
    await breathe();
  }
  return status;
}
