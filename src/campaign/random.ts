/** Random numbers from a seed, for what is drawn step by step, outside of fast-check. */
export interface Random {
  /** An integer in [0, limit); 0 for a limit of 0. */
  readonly below: (limit: number) => number;
}

/** Marsaglia's xorshift of 32 bits: small, and good enough to pick inputs. Equal seeds give equal sequences. */
export function generator(seed: number): Random {
  // The state must not be 0, where the sequence would stay.
  let state = (seed ^ 0x9e3779b9) | 0 || 1;
  return {
    below(limit) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return limit <= 0 ? 0 : (state >>> 0) % limit;
    },
  };
}
