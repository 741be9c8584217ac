/** What there is after each operation of a trace, as a page that needs nothing else. */
import { html } from "../html.ts";
import { STYLE } from "../html-style.ts";

/** An operation, and what there is after it. */
export interface ShownStep {
  readonly title: string;
  readonly come: readonly string[];
  readonly gone: readonly string[];
  /** Graphviz text. */
  readonly dot: string;
  /** The drawing, where there is something to lay it out with. */
  readonly svg: string | undefined;
}

/** @param name  of the trace. @returns the page's text */
export function objectsPage(name: string, steps: readonly ShownStep[]): string {
  const sections = steps.map(({ title, come, gone, dot, svg }) => {
    // The drawing is Graphviz's, which has escaped what the trace says.
    const drawing = svg === undefined ? html`<pre>${dot}</pre>` : { html: svg.slice(svg.indexOf("<svg")) };
    const effects = [
      ...come.map((each) => html`<span class="good">+ ${each}</span> `),
      ...gone.map((each) => html`<span class="bad">- ${each}</span> `),
    ];
    return html`<section class="tile"><h3><code>${title}</code></h3><p>${effects}</p><div>${drawing}</div></section>
`;
  });
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}: who keeps what alive</title><style>${{ html: STYLE }}
section { margin-bottom: 1rem; overflow-x: auto; } svg { background: #fff; max-width: 100%; height: auto; }</style></head>
<body><main><header><p class="brand">soundcheck objects</p><h1>${name}</h1></header>
${sections}</main></body></html>
`.html;
}
