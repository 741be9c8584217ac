/** HTML as a value: what a template is given is escaped, unless it is such a value itself. */

export interface Html {
  readonly html: string;
}

type Part = string | number | Html | readonly Html[] | undefined;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For element content and quoted attributes. What a browser would obey or hide (controls, changes of direction) is made visible. */
function escapeHtml(text: string): string {
  return text
    .replace(/[^\P{C}\n\t]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
}

function partHtml(part: Part): string {
  if (part === undefined) return "";
  if (typeof part === "string") return escapeHtml(part);
  if (typeof part === "number") return `${part}`;
  return "html" in part ? part.html : part.map(partHtml).join("");
}

/** The tag of templates. Nothing is written for `undefined`. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: strings.map((text, index) => text + partHtml(parts[index])).join("") };
}
