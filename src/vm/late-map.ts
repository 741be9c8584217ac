/** A map that is made when something is first put into it: most runs need few of those that a run may need, and making one takes longer than many an instruction. */
export class LateMap<K, V> {
  #map: Map<K, V> | undefined;

  get(key: K): V | undefined {
    return this.#map?.get(key);
  }

  has(key: K): boolean {
    return this.#map?.has(key) === true;
  }

  set(key: K, value: V): void {
    this.#map ??= new Map();
    this.#map.set(key, value);
  }

  /** Returns whether it was there. */
  delete(key: K): boolean {
    return this.#map?.delete(key) === true;
  }

  /** In the order in which keys were first put. */
  entries(): Iterable<readonly [K, V]> {
    return this.#map ?? NOTHING;
  }
}

const NOTHING: readonly [] = [];
