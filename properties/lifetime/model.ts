/**
 * What is alive, in a page and without counts. There are objects; roots that name them (processes' descriptors, pins); and edges: a program
 * to the maps that it uses, a program array to the programs in it. An object is alive if it can be reached from a root. A program array that no root names is
 * empty: nobody could change what is in it.
 */

export type Kind = "map" | "program";
/** An object, by kind and id: `map 3`. */
export type Name = `${Kind} ${number}`;

export interface Model {
  /** Every process that runs: its descriptors. */
  readonly processes: Map<number, Map<number, Name>>;
  readonly pins: Map<string, Name>;
  /** The maps of each program, and the programs in each program array by index. */
  readonly maps: Map<Name, ReadonlySet<Name>>;
  readonly arrays: Map<Name, Map<number, Name>>;
  /** How many objects of each kind there have been, and processes. */
  readonly made: { map: number; program: number; process: number };
}

export function newModel(): Model {
  return {
    processes: new Map([[1, new Map()]]),
    pins: new Map(),
    maps: new Map(),
    arrays: new Map(),
    made: { map: 0, program: 0, process: 1 },
  };
}

/** The objects that something names from outside. */
function roots({ processes, pins }: Model): ReadonlySet<Name> {
  return new Set([...[...processes.values()].flatMap((table) => [...table.values()]), ...pins.values()]);
}

/** Everything that can be reached from the roots. */
function alive(model: Model): ReadonlySet<Name> {
  const found = new Set<Name>();
  const todo = [...roots(model)];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    todo.push(...(model.maps.get(name) ?? []), ...(model.arrays.get(name)?.values() ?? []));
  }
  return found;
}

/** After each operation: arrays that no root names lose what is in them. */
export function settle(model: Model): void {
  const named = roots(model);
  for (const [name, programs] of model.arrays) if (!named.has(name)) programs.clear();
}

/** Ids of the objects of a kind that are alive, in order. */
export function aliveIds(model: Model, kind: Kind): readonly number[] {
  return [...alive(model)]
    .filter((name) => name.startsWith(kind))
    .map((name) => Number(name.split(" ")[1]))
    .sort((a, b) => a - b);
}
