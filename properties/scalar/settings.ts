/** How hard claims are tried, those about scalars and classic filters. `SOUNDCHECK_EFFORT=10` does ten times as much, `SOUNDCHECK_SEED` draws anew. */
function whole(name: string, otherwise: number): number {
  const given = process.env[name];
  if (given === undefined) return otherwise;
  if (!/^[1-9]\d{0,9}$/.test(given)) throw new Error(`${name}=${given} is not a whole number from 1`);
  return Number(given);
}

export const EFFORT = whole("SOUNDCHECK_EFFORT", 1);
export const SEED = whole("SOUNDCHECK_SEED", 20240601);

/** Parameters of `fc.assert`. */
export const runs = (numRuns: number): { numRuns: number; seed: number } => ({
  numRuns: numRuns * EFFORT,
  seed: SEED,
});
