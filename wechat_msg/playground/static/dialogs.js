// Dialogs: a few fields to fill in, or a file to choose.

import { find, make } from "./dom.js";
import { t } from "./texts.js";

function open(title, content, confirm, ok = t("ok")) {
  const dialog = find("dialog");
  const close = () => dialog.close();
  const form = make("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); if (confirm(form) !== false) close(); } },
    make("h2", {}, title), content,
    make("footer", {}, make("button.plain", { type: "button", onclick: close }, t("cancel")), make("button.send", {}, ok)));
  dialog.replaceChildren(form);
  dialog.showModal();
  return form;
}

/** Ask for values by name: `fields` are [name, caption, value]. */
export function askFor(title, fields, confirm, ok) {
  const inputs = fields.map(([name, caption, value]) => make("label", {}, caption, make("input", { name, value, required: true })));
  open(title, make("div.fields", {}, inputs), (form) => { confirm(Object.fromEntries(new FormData(form))); }, ok);
}

/** Show a text to copy by hand, where the browser does not let a page do it. */
export function showText(title, text) {
  const shown = make("textarea", { rows: 14, readOnly: true, value: text, ariaLabel: title });
  open(title, make("div.fields", {}, shown), () => true, t("close"));
  shown.select();
}

/** Ask for a file, or use a sample. */
export function askForFile(title, accept, makeSample, confirm) {
  const dialog = find("dialog");
  const take = async (file) => { dialog.close(); confirm(await file); };
  const input = make("input", { type: "file", accept, onchange: () => { if (input.files.length) take(input.files[0]); } });
  const form = open(title, make("div.fields", {},
    make("p.hint", {}, t("chooseHint")),
    make("label.pick", {}, t("choose"), input),
    make("button.plain", { type: "button", onclick: () => take(makeSample()) }, t("sample"))), () => false);
  form.querySelector("footer .send").remove();
}

/** Ask for a JSON object; `examples` by name. */
export function askForJson(title, examples, confirm) {
  const text = make("textarea", { rows: 14, spellcheck: false, name: "json", ariaLabel: t("json") });
  const wrong = make("p.wrong", { hidden: true }, t("badJson"));
  const choice = make("select", { ariaLabel: t("example"), onchange: () => { text.value = JSON.stringify(examples[choice.value], null, 2); } },
    Object.keys(examples).map((name) => make("option", { value: name }, name)));
  choice.dispatchEvent(new Event("change"));
  open(title, make("div.fields", {}, make("label", {}, t("example"), choice), make("label", {}, t("json"), text), wrong), () => {
    try {
      const asked = JSON.parse(text.value);
      if (!asked || typeof asked !== "object" || Array.isArray(asked)) throw new SyntaxError();
      confirm(asked);
      return true;
    } catch {
      wrong.hidden = false;
      return false;
    }
  });
}
