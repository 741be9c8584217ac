/** The process that holds a Z3: questions in, answers out (message.ts). It ends with its standard input, so it never outlives who started it. */
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { startZ3 } from "../semantics/term/z3.ts";
import { ANSWERS_DESCRIPTOR, answerLine, readQuestion, readyLine } from "./message.ts";
import type { Answer } from "./question.ts";

const answers = createWriteStream("", { fd: ANSWERS_DESCRIPTOR });
answers.on("error", () => process.exit());

const z3 = await startZ3();
const lines = createInterface({ input: process.stdin });
lines.on("close", () => process.exit());
lines.on("line", (line) => {
  void z3
    .decide(readQuestion(line))
    .catch((error: unknown): Answer => {
      return { result: "error", message: error instanceof Error ? error.message : String(error) };
    })
    .then((answer) => answers.write(answerLine(answer)));
});
answers.write(readyLine(z3.version));
