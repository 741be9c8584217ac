/** How the HTML report looks, in light and in dark. */
export const STYLE = `
:root {
  --paper: #f7f7f5; --surface: #fff; --ink: #1d2025; --mute: #6a7079; --line: #e2e3e6; --soft: #f1f2f4;
  --good: #17784a; --good-soft: #e2f3ea; --warn: #8a5a00; --warn-soft: #fbf0d9;
  --bad: #b3261e; --bad-soft: #fbe6e4; --note: #2c55b8; --note-soft: #e5ecfb; --source: #7a3e9d;
  --mono: ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14161a; --surface: #1b1e23; --ink: #e4e6ea; --mute: #959ca7; --line: #2d3138; --soft: #23272e;
    --good: #62cf98; --good-soft: #16332a; --warn: #e5b454; --warn-soft: #38301c;
    --bad: #ff8a80; --bad-soft: #3e2023; --note: #8fb0ff; --note-soft: #1f2c47; --source: #cf9df0;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 2.5rem 1.5rem 5rem; }
header { margin-bottom: 1.75rem; }
h1 { font-size: 2.4rem; line-height: 1.15; margin: .1rem 0 .3rem; letter-spacing: -.02em; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
h4 { font-size: .8rem; margin: 1.25rem 0 .4rem; color: var(--mute); font-weight: 600; }
p { margin: 0 0 .5rem; }
.brand { font: 600 .95rem var(--mono); color: var(--mute); margin: 0; }
.mute { color: var(--mute); }
.good { color: var(--good); } .bad { color: var(--bad); } .fault { color: var(--bad); }
a { color: var(--note); text-decoration: none; } a:hover { text-decoration: underline; }
button, input, select { font: inherit; color: inherit; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: .75rem; }
.tile { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: .8rem 1rem; display: flex; flex-direction: column; }
.tile strong { font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile span { font-weight: 500; overflow-wrap: anywhere; }
.tile small { color: var(--mute); }
.tile.holds small { color: var(--good); } .tile.fails small { color: var(--bad); font-weight: 600; } .tile.lacks small { color: var(--warn); }

.finding-card { background: var(--surface); border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 8px; padding: .9rem 1.1rem; margin-bottom: .75rem; overflow-wrap: anywhere; }
.fold { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: .65rem 1rem; margin-top: .75rem; }
.fold summary { cursor: pointer; }
.fold ul { margin: .6rem 0 .2rem; padding-left: 1.2rem; } .fold li { margin-bottom: .4rem; overflow-wrap: anywhere; }

dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1.25rem; margin: .25rem 0; }
dt { color: var(--mute); } dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font-family: var(--mono); font-size: .85em; }
code.command { background: var(--soft); border-radius: 5px; padding: .1rem .35rem; }
.copy { border: 1px solid var(--line); background: none; border-radius: 5px; padding: 0 .4rem; font-size: .75rem; color: var(--mute); cursor: pointer; white-space: nowrap; }
.copy:hover { color: var(--ink); border-color: var(--mute); }

.filters { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin-bottom: .75rem; }
.filters input[type=search] { flex: 1 1 16rem; }
.filters input[type=search], .filters select { background: var(--surface); border: 1px solid var(--line); border-radius: 7px; padding: .35rem .6rem; }
.filters label { display: flex; gap: .35rem; align-items: center; }
.filters output { margin-left: auto; font-variant-numeric: tabular-nums; }

.scroll { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; padding: .38rem .6rem; vertical-align: top; }
th { font-weight: 600; color: var(--mute); white-space: nowrap; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.programs > thead th { border-bottom: 1px solid var(--line); padding: .25rem .3rem; }
.programs > tbody > tr > td { border-top: 1px solid var(--line); }
.programs > tbody:first-of-type > tr:first-child > td { border-top: 0; }
.program > tr:first-of-type { cursor: pointer; } .program > tr:first-of-type:hover { background: var(--soft); }
.program.finding > tr:first-of-type > td:first-child { box-shadow: inset 4px 0 0 var(--bad); }
.program[hidden] { display: none; }
.sort { border: 0; background: none; padding: .15rem .3rem; font-weight: inherit; cursor: pointer; }
.sort:hover { color: var(--ink); }
th[aria-sort=ascending] .sort::after { content: " ↑"; } th[aria-sort=descending] .sort::after { content: " ↓"; }
.open { border: 0; background: none; padding: 0; text-align: left; cursor: pointer; font-weight: 500; overflow-wrap: anywhere; }
.open::before { content: "▸"; display: inline-block; width: 1.1em; color: var(--mute); }
.open[aria-expanded=true]::before { content: "▾"; }
.file { color: var(--mute); overflow-wrap: anywhere; }
.tag { display: inline-block; border-radius: 999px; padding: 0 .55rem; font-size: .82em; line-height: 1.6; white-space: nowrap; background: var(--soft); color: var(--mute); }
.tag.good { background: var(--good-soft); color: var(--good); } .tag.warn { background: var(--warn-soft); color: var(--warn); }
.tag.bad { background: var(--bad-soft); color: var(--bad); font-weight: 600; } .tag.note { background: var(--note-soft); color: var(--note); }
.bar { display: inline-block; width: 2.6rem; height: .45rem; border-radius: 3px; margin-right: .5rem; background: linear-gradient(to right, var(--good) var(--part), var(--line) var(--part)); }

.details > td { max-width: 0; background: var(--paper); padding: .9rem 1.1rem 1.2rem 1.7rem; }
.details dt { font-size: .85rem; } .details dd { font-size: .9rem; }
.message { margin: .35rem 0 .2rem; white-space: pre-wrap; }
.runs { width: auto; max-width: 100%; }
.runs th, .runs td { padding: .2rem .8rem .2rem 0; }
.hex { display: inline-block; max-width: 34rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; vertical-align: bottom; }
.finding-card .hex { white-space: normal; max-width: none; }
.log { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; margin: 0; max-height: 32rem; overflow: auto; line-height: 1.5; }
.l-source { color: var(--source); } .l-dim { color: var(--mute); } .l-effect { color: var(--mute); }
.l-message { color: var(--bad); font-weight: 600; }
@media print { .filters, .copy { display: none; } }
`;
