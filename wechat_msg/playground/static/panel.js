// The panel: request, answer and verdict of one entry.

import { showText } from "./dialogs.js";
import { find, icon, make, tell } from "./dom.js";
import { seconds } from "./bubbles.js";
import { getCopies, getWire, replay } from "./server.js";
import { pick, t } from "./texts.js";
import { readReply, readService } from "./views.js";

let shown = { entry: null, number: null };
const opened = new Map(); // which sections the user has opened or closed

// --- code --------------------------------------------------------------------------------------------------------------

const part = (kind, text) => make(`span.${kind}`, {}, text);

const DEEPEST = 32; // deeper levels are not indented further
const XML_TOKEN = /<!\[CDATA\[|\]\]>(?=<\/)|<\/?[\w.:-]+>|[^<\]]+|[<\]]/g;

/** Format XML token by token: no parser accepts WeChat's XML, which does not split "]]>" in a text. */
function writeXml(text) {
  const parts = [];
  let [depth, isLeaf, cdata] = [0, false, null];
  const breakLine = () => parts.push(parts.length ? "\n" : "", "  ".repeat(Math.min(depth, DEEPEST)));
  const tag = (open, name) => parts.push(part("mark", open), part("name", name), part("mark", ">"));
  for (const [token] of text.matchAll(XML_TOKEN)) {
    if (cdata !== null && token !== "]]>") {
      cdata += token;
    } else if (cdata !== null) {
      parts.push(part("text", cdata), part("mark", token));
      cdata = null;
    } else if (token === "<![CDATA[") {
      parts.push(part("mark", token));
      cdata = "";
    } else if (token.startsWith("</")) {
      depth = Math.max(0, depth - 1);
      if (!isLeaf) breakLine();
      tag("</", token.slice(2, -1));
      isLeaf = false;
    } else if (token.startsWith("<") && token.length > 1) {
      breakLine();
      tag("<", token.slice(1, -1));
      depth += 1;
      isLeaf = true;
    } else if (token.trim()) {
      parts.push(part("number", token));
    }
  }
  return cdata === null ? parts : [...parts, part("text", cdata)];
}

function writeJson(value, depth = 0) {
  if (depth > DEEPEST) return [JSON.stringify(value)];
  const indent = "  ".repeat(depth + 1);
  const end = `\n${"  ".repeat(depth)}`;
  const join = (items) => items.flatMap((item, at) => [at ? ",\n" : "\n", indent, ...item]);
  if (JSON.isRawJSON?.(value)) return [part("number", value.rawJSON)];
  if (Array.isArray(value)) return value.length ? ["[", ...join(value.map((one) => writeJson(one, depth + 1))), end, "]"] : ["[]"];
  if (value && typeof value === "object") {
    const items = Object.entries(value).map(([key, one]) => [part("name", JSON.stringify(key)), ": ", ...writeJson(one, depth + 1)]);
    return items.length ? ["{", ...join(items), end, "}"] : ["{}"];
  }
  return [part(typeof value === "string" ? "text" : "number", JSON.stringify(value))];
}

/** Format a document for reading; text that is neither XML nor JSON stays unchanged. */
function pretty(text) {
  if (text.trimStart().startsWith("<xml>")) return writeXml(text);
  if (!/^\s*[[{]/.test(text)) return [text];
  try {
    // Numbers beyond the precision of JavaScript, such as a MsgId, stay unchanged.
    return writeJson(JSON.parse(text, (_, value, source) =>
      typeof value === "number" && source?.source ? (JSON.rawJSON?.(source.source) ?? value) : value));
  } catch {
    return [text];
  }
}

const code = (...children) => make("pre.code", { tabIndex: 0 }, make("code", {}, ...children));

/** Copy a text, or show it where the browser does not allow that. */
async function copy(title, text) {
  try {
    await navigator.clipboard.writeText(text);
    tell(t("copied"));
  } catch {
    showText(title, text);
  }
}

function section(key, title, copied, content, isOpen = true) {
  const button = make("button.copy", { type: "button", title: t("copy"), ariaLabel: t("copy"), onclick: (event) => {
    event.preventDefault();
    copy(title, copied);
  } }, icon("copy"));
  const details = make("details.section", { open: opened.get(key) ?? isOpen }, make("summary", {}, make("h3", {}, title), button), content);
  details.addEventListener("toggle", () => opened.set(key, details.open));
  return details;
}

// --- a try -------------------------------------------------------------------------------------------------------------

const countBytes = (view) => (view.type === "text" ? make("span.count", {}, t("textBytes", { n: new TextEncoder().encode(String(view.text)).length })) : null);

function judgement(one) {
  const name = { acknowledged: t("success"), replied: t("passiveTo", { n: one.number }), verified: t("verified"), failed: t("failed") }[one.outcome];
  const { problem } = one;
  return make("div", { className: `verdict ${one.outcome}` },
    make("div.sum", {}, make("strong", {}, problem ? pick(problem.what) : name), pick(problem?.detail) ? make("code", {}, pick(problem.detail)) : null,
      one.reply ? countBytes(readReply(one.reply)) : null, make("time", {}, seconds(one.seconds))),
    problem ? make("p", {}, make("b", {}, t("fix")), pick(problem.fix)) : null);
}

function request(one) {
  const { line, query, content_type: type } = one.request;
  const pairs = Object.entries(query);
  const target = `${line}?${new URLSearchParams(query)}`;
  const [method, path] = line.split(" ");
  const lines = pairs.flatMap(([name, value], at) => ["\n  ", part("mark", at ? "&" : "?"), part("name", name), part("mark", "="), part("text", value)]);
  return section("request", t("request"), target,
    code(part("word", method), ` ${path}`, ...lines, ...(type ? ["\n", part("name", "content-type"), part("mark", ": "), type] : [])));
}

function signatures(one) {
  const rows = one.signatures.map(({ name, value, parts }) => make("li", {},
    make("div", {}, part("name", name), part("mark", " = "), part("text", value)),
    make("div.signature-input", {}, make("small", {}, t("signatureHow")),
      parts.map((each, at) => make("span", { className: at ? "piece" : "piece secret", title: each }, each.length > 44 ? `${each.slice(0, 40)}…` : each)))));
  return section("signatures", t("signatures"), one.signatures.map(({ name, value }) => `${name}=${value}`).join("\n"), make("ul.signatures", {}, rows));
}

function answer(one) {
  if (!one.answer) return section("answer", t("noAnswer"), "", make("p.none", {}, pick(one.problem.what)));
  const { status, headers, body, bytes } = one.answer;
  const lines = Object.entries(headers).flatMap(([name, value]) => ["\n", part("name", name), part("mark", ": "), value]);
  return section("answer", `${t("answer")} · HTTP ${status} · ${t("bytes", { n: bytes })}`, body,
    make("div", {}, code(part("word", "HTTP"), ` ${status}`, ...lines), body ? code(pretty(body)) : make("p.none", {}, t("bodyEmpty"))));
}

function contents(one) {
  const { opened: document, body, is_sealed: isSealed } = one.request;
  const reply = one.document && one.outcome !== "verified" && one.document !== one.answer?.body;
  return [
    judgement(one),
    request(one),
    document ? section("opened", t(isSealed ? "openedSealed" : "opened"), document, code(pretty(document))) : null,
    isSealed ? section("body", t("body"), body, code(pretty(body)), false) : null,
    reply ? section("reply", t("openedReplySealed"), one.document, code(pretty(one.document))) : null,
    answer(one),
    signatures(one),
  ];
}

function judgeCall({ kind, message, answer: { errcode } = {}, advice }) {
  const name = errcode ? t(message ? "unsent" : "refused") : t(kind);
  return make("div", { className: `verdict ${errcode ? "failed" : "replied"}` },
    make("div.sum", {}, make("strong", {}, name), errcode ? make("code", {}, String(errcode)) : null,
      message && kind !== "template" ? countBytes(readService(message)) : null),
    pick(advice) ? make("p", {}, make("b", {}, t("fix")), pick(advice)) : null);
}

const callContents = ({ call, ...entry }) => [
  judgeCall(entry),
  section("request", t("call"), call.line, code(call.line, ...Object.entries(call.query).map(([name, value]) => `\n  ${name}=${value}`))),
  call.body ? section("opened", t("sent"), call.body, code(pretty(call.body))) : null,
  section("answer", t("answer"), call.answer, code(pretty(call.answer))),
];

const importedContents = ({ imported }) => [
  make("p.none", {}, t("importedHint")),
  section("opened", t("record"), imported, code(pretty(imported))),
];

// --- what can be done with a message ------------------------------------------------------------------------------------

async function copyAs(kind, entry, number) {
  const copies = await getCopies(entry, number);
  if (copies) copy(t(`${kind}Copy`), copies[kind]);
}

/** Buttons for a message; `one` is the try that is shown, if any is known. */
function actions(entry, one, { isDone, isPush }) {
  const act = (name, onclick, disabled = false) =>
    make("button.plain", { type: "button", title: t(`${name}Hint`), disabled, onclick }, t(name));
  const copies = [one ? "curl" : null, "test", isPush ? "push" : null].filter(Boolean);
  return make("div.actions", {},
    isPush ? act("sendAgain", () => replay(entry, { isNew: true })) : null,
    isPush ? act("replayMessage", () => replay(entry), !isDone) : null,
    isPush && one ? act("replayTry", () => replay(entry, { number: one.number }), !isDone) : null,
    make("span.copies", {}, icon("copy"), copies.map((kind) => act(`${kind}Copy`, () => copyAs(kind, entry, one?.number)))));
}

// --- the panel ---------------------------------------------------------------------------------------------------------

function head(tries, number, entry) {
  const tabs = tries.map((one) => make("button", {
    type: "button", role: "tab", className: one.outcome, ariaSelected: String(one.number === number),
    onclick: () => showWire(entry, one.number),
  }, make("b", {}, t("attempt", { n: one.number })), make("time", {}, seconds(one.seconds))));
  const close = make("button.round.shut", { type: "button", title: t("close"), ariaLabel: t("close"), onclick: closePanel }, icon("close"));
  return make("header", {}, make("h2", {}, t("panel")), make("div.tabs", { role: "tablist" }, tabs), close);
}

function fill(...children) {
  const panel = find("panel");
  const scrolled = panel.querySelector(".sections")?.scrollTop ?? 0;
  panel.replaceChildren(...children);
  return { panel, scrolled };
}

function blank(text, hint = "") {
  fill(head([], 0, 0), make("div.blank", {}, icon("wave"), make("p", {}, text), hint ? make("small", {}, hint) : null));
}

export function closePanel() {
  shown = { entry: null, number: null };
  document.body.classList.remove("looking");
  mark();
  blank(t("panelEmpty"), t("panelHint"));
}

/** Show an entry; without a number, its last try. */
export async function showWire(entry, number = null) {
  const isSame = shown.entry === entry;
  shown = { entry, number };
  mark();
  const wire = await getWire(entry);
  if (shown.entry !== entry || shown.number !== number) return;
  if (!wire) {
    blank(t(isSame ? "gone" : "loading"));
    return;
  }
  if (wire.call || wire.imported) {
    fill(head([], 0, entry), wire.kind === "message" ? actions(entry, null, { isDone: true, isPush: wire.is_push }) : "",
      make("div.sections", {}, wire.call ? callContents(wire) : importedContents(wire)));
    return;
  }
  const one = wire.tries.find((each) => each.number === number) ?? wire.tries.at(-1);
  const { panel, scrolled } = fill(head(wire.tries, one.number, entry),
    actions(entry, one, { isDone: wire.is_done, isPush: wire.is_push }), make("div.sections", {}, contents(one)));
  if (isSame) panel.querySelector(".sections").scrollTop = scrolled;
}

/** Update the panel if it shows the entry that has changed. */
export function refreshWire(entry) {
  if (shown.entry === entry) showWire(entry, shown.number);
}

export function redrawPanel() {
  if (shown.entry === null) closePanel();
  else showWire(shown.entry, shown.number);
}

function mark() {
  for (const row of document.querySelectorAll(".row-of")) row.classList.toggle("chosen", Number(row.dataset.of) === shown.entry);
}
