/**
 * Refusals in the words of the kernel whose rules hold. The verifier speaks as Linux 6.18 does; where another kernel says the same of the same thing, only the
 * words are exchanged here. Where kernels look at things in another order, the rule itself asks the profile.
 */
import type { Errno, Rejection } from "../absint/transfer/rejection.ts";
import { says } from "../semantics/profile/lookup.ts";
import type { Profile, Wording } from "../semantics/profile/profile.ts";

export interface Worded {
  readonly errno: Errno;
  readonly message: string;
  /** The message in the words of Linux 6.18, if those are others. */
  readonly usual?: string;
}

interface Rewording {
  readonly wording: Wording;
  readonly pattern: RegExp;
  readonly words: (...groups: readonly string[]) => string;
  /** If it is another. */
  readonly errno?: Errno;
}

const register = (place: string): string => `R${Number(place) + 1}`;

/** Lines about the types of a function's own BTF: these name parameters by their place in all kernels. */
const OF_TYPES = /reference type|tags?\b|type doesn't have|should be/;

const REWORDINGS: readonly Rewording[] = [
  {
    wording: "argument_registers",
    pattern: /^arg#(\d) expected for (bpf_(?:percpu_)?obj_drop)(?:_impl)?\(\)/gm,
    words: (_all, place = "", name = "") => `${register(place)} expected for ${name}()`,
  },
  {
    wording: "argument_registers",
    pattern: /\bargs?#(\d)|\barg #(\d)|(?<=trusted )arg(\d)/g,
    words: (_all, ...places) => register(places.find((place) => place !== undefined) ?? "0"),
  },
  {
    wording: "constant_size",
    pattern: /^(R\d) is not a known constant'$/gm,
    words: (_all, name = "") => `${name} is not a const`,
    errno: "EINVAL",
  },
  {
    wording: "sleepable",
    pattern: /^Only fentry\/fexit\S* .* programs can be sleepable$/gm,
    words: () => "Program of this type cannot be sleepable",
  },
  {
    wording: "dynptr_releases",
    pattern: /^cannot release unowned const bpf_dynptr$/gm,
    words: () => "CONST_PTR_TO_DYNPTR cannot be released",
  },
];

/** What a kernel with the profile says where Linux 6.18 says what the rejection does. */
export function worded(profile: Profile, { errno, message }: Rejection): Worded {
  let code = errno;
  const lines = message.split("\n").map((line) => (OF_TYPES.test(line) ? line : reworded(line)));
  const text = lines.join("\n");
  return text === message ? { errno, message } : { errno: code, message: text, usual: message };

  function reworded(line: string): string {
    return REWORDINGS.reduce((said, { wording, pattern, words, errno: other }) => {
      if (!says(profile, wording)) return said;
      const now = said.replace(pattern, (...groups: string[]) => words(...groups));
      if (now !== said && other !== undefined) code = other;
      return now;
    }, line);
  }
}
