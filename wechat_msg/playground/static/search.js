// Find messages: only the rows whose contents contain the text are shown.

import { find, icon } from "./dom.js";
import { t } from "./texts.js";

let wanted = "";

const collect = (value) => (value && typeof value === "object" ? Object.values(value).map(collect).join("\n") : String(value ?? ""));

/** What can be searched: what was said, fields, errcodes and reasons, but not numbers and times of the playground. */
const readable = ({ fields, reply, message, title, notice, problem, path, answer, advice, tries = [] }) =>
  [fields, reply, message, title, notice, problem, path, answer, advice, tries.map((one) => one.problem)];

export const isFound = (entry) => !wanted || collect(readable(entry)).toLowerCase().includes(wanted);

/** Hide the rows that do not contain the text; `rows` are [entry, element]. */
export function filterRows(rows) {
  let count = 0;
  for (const [entry, row] of rows) {
    row.hidden = !isFound(entry);
    count += row.hidden ? 0 : 1;
  }
  document.body.classList.toggle("searching", Boolean(wanted));
  find("found").textContent = wanted ? t("found", { n: count }) : "";
}

export function startSearching(update) {
  const form = find("search");
  const query = find("query");
  const set = (text) => { wanted = text.trim().toLowerCase(); update(); };
  const open = (isOpen) => {
    form.hidden = !isOpen;
    find("find").ariaExpanded = String(isOpen);
    if (isOpen) query.focus();
    else { query.value = ""; set(""); }
  };
  find("find").append(icon("find"));
  find("find").addEventListener("click", () => open(form.hidden));
  query.addEventListener("input", () => set(query.value));
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") open(false); });
  form.addEventListener("submit", (event) => event.preventDefault());
}
