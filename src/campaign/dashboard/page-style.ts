/** What a dashboard looks like beyond the style of the report. */
export const PAGE_STYLE = `
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: .75rem; }
.chart { margin: 0; background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1rem .7rem; }
.chart figcaption { display: flex; justify-content: space-between; align-items: baseline; gap: 1rem; }
.chart figcaption p { margin: 0; font-size: .8rem; text-align: right; }
.chart svg { display: block; width: 100%; height: auto; margin-top: .4rem; }
.chart polyline { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.chart .grid { stroke: var(--line); stroke-width: 1; }
.chart text { fill: var(--mute); font-size: 12px; font-variant-numeric: tabular-nums; }
.chart .y { text-anchor: end; } .chart .x { text-anchor: middle; }
.names { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .3rem 0 0; font-size: .82rem; color: var(--mute); }
.names i { display: inline-block; width: .8rem; height: .2rem; border-radius: 1px; margin-right: .4rem; vertical-align: middle; }
.names b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.counts td:first-child { width: 6rem; } .counts td:nth-child(2) { width: 9rem; } .counts td { border-top: 1px solid var(--line); } .counts tr:first-child td { border-top: 0; }
.share { display: block; height: .5rem; margin-top: .45rem; border-radius: 3px; background: linear-gradient(to right, var(--note) var(--part), var(--soft) var(--part)); }
tbody td { border-top: 1px solid var(--line); } .tiles { grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); } .tile { padding: .7rem .9rem; } .tile strong { font-size: 1.4rem; }
tbody td { overflow-wrap: anywhere; } td:first-child, .num { white-space: nowrap; }
.scroll + .scroll { margin-top: .75rem; }
`;
