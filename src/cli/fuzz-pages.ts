/** What a campaign leaves for people beside its statistics: `plot.csv`, and `dashboard.html`, which is made anew every few seconds. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dashboard } from "../campaign/dashboard/page.ts";
import { Plot } from "../campaign/dashboard/plot.ts";
import type { Stats } from "../campaign/fuzz/stats.ts";
import type { Finding } from "../campaign/fuzz/store.ts";

/** Seconds between pages. */
const EVERY_S = 10;

export interface PagesOptions {
  readonly directory: string;
  readonly version: string;
  /** Seconds of the campaign before this session. */
  readonly before: number;
  /** Milliseconds from any start. */
  readonly now: () => number;
}

export class FuzzPages {
  /** Where the page is. */
  readonly page: string;
  readonly #options: PagesOptions;
  readonly #plot: Plot;
  #writtenAt: number;

  constructor(options: PagesOptions) {
    const { directory, before, now } = options;
    this.#options = options;
    this.page = join(directory, "dashboard.html");
    this.#plot = new Plot(join(directory, "plot.csv"), before);
    this.#writtenAt = now();
  }

  add(stats: Stats, findings: readonly Finding[]): void {
    const { now } = this.#options;
    this.#plot.add(stats);
    if (now() - this.#writtenAt < 1000 * EVERY_S) return;
    this.#writtenAt = now();
    this.#write(stats, findings, { refresh: EVERY_S });
  }

  end(stats: Stats, findings: readonly Finding[]): void {
    this.#plot.add(stats, true);
    this.#write(stats, findings, {});
  }

  #write(stats: Stats, findings: readonly Finding[], more: { readonly refresh?: number }): void {
    const { version } = this.#options;
    writeFileSync(
      `${this.page}.new`,
      dashboard({ stats, findings, points: this.#plot.points, version, ...more }),
    );
    renameSync(`${this.page}.new`, this.page);
  }
}
