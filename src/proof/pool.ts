/** A number of places in which solvers work side by side, and the questions that wait for one. First come, first served. */
import type { Answer, Question, Solver } from "./question.ts";

/** How a solver is made; a place makes each at most once. */
export type MakeSolver = () => Solver;

export interface Timed {
  readonly answer: Answer;
  readonly seconds: number;
  /** The solver's name and version. */
  readonly solver: string;
}

interface Waiting {
  readonly make: MakeSolver;
  readonly question: Question;
  readonly signal: AbortSignal | undefined;
  readonly done: (timed: Timed) => void;
}

type Place = Map<MakeSolver, Solver>;

export class Pool {
  readonly #now: () => number;
  readonly #places: Place[];
  readonly #free: Place[];
  #waiting: Waiting[] = [];
  #whenHungry: (() => void)[] = [];
  #stopped = false;

  /** @param now in milliseconds */
  constructor(size: number, now: () => number) {
    this.#now = now;
    this.#places = Array.from({ length: size }, () => new Map());
    this.#free = [...this.#places];
  }

  /** The answer of a solver that `make` makes. A question whose signal is given before its turn is not put: the answer is an error. */
  ask(make: MakeSolver, question: Question, signal?: AbortSignal): Promise<Timed> {
    return new Promise((done) => {
      this.#waiting.push({ make, question, signal, done });
      this.#next();
    });
  }

  /** Resolves once fewer questions wait than there are places: time to bring more. */
  hungry(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenHungry.push(resolve);
      this.#next();
    });
  }

  /** Kills all solvers. Questions end as errors. */
  stop(): void {
    this.#stopped = true;
    for (const place of this.#places) for (const solver of place.values()) solver.stop();
    this.#next();
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const place = this.#free.pop();
      if (place === undefined) break;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) break;
      void this.#work(place, waiting);
    }
    if (this.#waiting.length >= this.#places.length) return;
    const resolvers = this.#whenHungry;
    this.#whenHungry = [];
    for (const resolve of resolvers) resolve();
  }

  async #work(place: Place, { make, question, signal, done }: Waiting): Promise<void> {
    let solver = place.get(make);
    if (solver === undefined) {
      solver = make();
      place.set(make, solver);
    }
    const idle = (): boolean => this.#stopped || signal?.aborted === true;
    if (!idle()) await solver.prepare();
    const start = this.#now();
    const answer: Answer = idle() ? { result: "error", message: "not asked" } : await solver.ask(question);
    done({ answer, seconds: (this.#now() - start) / 1000, solver: solver.name() });
    this.#free.push(place);
    this.#next();
  }
}
