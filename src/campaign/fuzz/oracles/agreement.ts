/** Another verifier beside ours, on the same program. That they differ is no fault by itself: each of these is asked only where it is named. */
import { complaintOf } from "../../compare/complaint.ts";
import type { Case, Oracle } from "./oracle.ts";

/** What a verifier says, in a word or by the class of its complaint. */
const word = (verdict: string, message: string): string =>
  verdict === "reject" ? complaintOf(message) : verdict;

const isJudged = (verdict: string): boolean => verdict === "accept" || verdict === "reject";

/** What both say, as `accept / packet bounds`: ours first. Undefined where our verifier was not asked. */
export function pairOf({ answer, verdict }: Pick<Case, "answer" | "verdict">): string | undefined {
  if (verdict === undefined) return undefined;
  const ours = verdict.verdict === "reject" ? verdict.message : "";
  return `${word(verdict.verdict, ours)} / ${word(answer.verdict, answer.message)}`;
}

/** Both accept, or both reject. */
export const verdict: Oracle = {
  name: "verdict",
  judge(given) {
    const { answer, verdict: own } = given;
    if (own === undefined || !isJudged(own.verdict) || !isJudged(answer.verdict)) return [];
    if (own.verdict === answer.verdict) return [];
    const message = `we ${own.verdict}, it says ${answer.verdict}: ${answer.verdict === "reject" ? answer.message : own.verdict === "reject" ? own.message : ""}`;
    return [{ oracle: "verdict", message, cause: pairOf(given) ?? "" }];
  },
};

/** What the kernel under test accepts the one beside it accepts too: where a newer one refuses, it may know of a mistake. */
export const beside: Oracle = {
  name: "beside",
  judge({ answer, beside: other }) {
    if (answer.verdict !== "accept" || other?.verdict !== "reject") return [];
    return [
      {
        oracle: "beside",
        message: `it accepts what the kernel beside it refuses: ${other.message}`,
        cause: complaintOf(other.message),
      },
    ];
  },
};

/** Both complain of the same, by class: messages change from version to version. */
export const message: Oracle = {
  name: "message",
  judge(given) {
    const { answer, verdict: own } = given;
    if (own?.verdict !== "reject" || answer.verdict !== "reject") return [];
    if (complaintOf(own.message) === complaintOf(answer.message)) return [];
    return [
      {
        oracle: "message",
        message: `we complain: ${own.message}; it complains: ${answer.message}`,
        cause: pairOf(given) ?? "",
      },
    ];
  },
};

/** Both process as many instructions, where they come to the same verdict. */
export const processed: Oracle = {
  name: "processed",
  judge({ answer, verdict: own }) {
    if (own === undefined || own.verdict !== answer.verdict || answer.processed === undefined) return [];
    const ours = own.statistics.processed;
    if (ours === answer.processed) return [];
    return [
      {
        oracle: "processed",
        message: `we process ${ours} instructions, it processes ${answer.processed}`,
        cause: `${own.verdict}: we process ${ours > answer.processed ? "more" : "fewer"}`,
      },
    ];
  },
};
