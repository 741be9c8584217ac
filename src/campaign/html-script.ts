/** What the HTML report does in the browser: opens programs, filters, sorts, copies. It holds no data of its own. */
export const SCRIPT = `
"use strict";
const table = document.querySelector(".programs");
const programs = [...document.querySelectorAll(".program")];
const keysOf = new Map(programs.map((body) => [body, JSON.parse(body.dataset.keys)]));
const form = document.querySelector(".filters");

function toggle(body, wanted) {
  const button = body.querySelector(".open");
  const open = button.getAttribute("aria-expanded") === "true";
  if (open === wanted) return;
  if (open) body.querySelector(".details").remove();
  else {
    const row = document.createElement("tr");
    row.className = "details";
    const cell = row.insertCell();
    cell.colSpan = body.rows[0].cells.length;
    cell.append(body.querySelector("template").content.cloneNode(true));
    body.append(row);
  }
  button.setAttribute("aria-expanded", String(!open));
}

function filter() {
  const words = form.text.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  for (const body of programs) {
    const keys = keysOf.get(body);
    const text = keys.slice(0, 3).join(" ").toLowerCase();
    const fits = words.every((word) => text.includes(word))
      && (form.verdict.value === "" || keys[3] === form.verdict.value)
      && (form.agreement.value === "" || keys[9] === form.agreement.value)
      && (!form.findings.checked || body.classList.contains("finding"));
    body.hidden = !fits;
    if (fits) shown += 1;
  }
  form.shown.value = shown + " of " + programs.length;
}

function sort(title) {
  const column = title.cellIndex;
  const direction = title.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  for (const other of title.parentNode.cells) other.setAttribute("aria-sort", "none");
  title.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
  const order = (a, b) => typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
  programs.sort((a, b) => direction * order(keysOf.get(a)[column], keysOf.get(b)[column]));
  table.append(...programs);
}

async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const before = button.textContent;
  button.textContent = "copied";
  setTimeout(() => { button.textContent = before; }, 1200);
}

function openTarget() {
  const body = location.hash === "" ? null : document.getElementById(location.hash.slice(1));
  if (body === null || !body.classList.contains("program")) return;
  body.hidden = false;
  toggle(body, true);
  body.scrollIntoView();
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button?.classList.contains("copy")) copy(button);
  else if (button?.classList.contains("sort")) sort(button.parentNode);
  else {
    const row = target.closest(".program > tr");
    if (row !== null && row === row.parentNode.rows[0] && String(getSelection()) === "") toggle(row.parentNode);
  }
});
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", openTarget);
filter();
openTarget();
`;
