// The page: follows the conversation and updates what it shows.

import { makeRow, updateRow } from "./bubbles.js";
import { drawExtras, showMenu, showUser, startComposing } from "./compose.js";
import { find, make, tell } from "./dom.js";
import { closePanel, redrawPanel, refreshWire, showWire } from "./panel.js";
import { chosen, clear, setVerified, verify } from "./server.js";
import { language, pick, setLanguage, t, translate } from "./texts.js";

const MOST = 2000;
const PAUSE = 300; // seconds without a message after which the time is shown again
const entries = new Map(); // messages by number
const rows = new Map();
const named = {}; // unique entries by name
let follows = true; // whether the panel shows the newest message
let last = 0;

// --- the conversation --------------------------------------------------------------------------------------------------

const talk = find("talk");
const said = find("said");
let sticks = true; // keeps the end visible until the user scrolls up
let scrolled = 0;

const goToEnd = () => { if (sticks) talk.scrollTop = talk.scrollHeight; };

function noteScroll() {
  if (talk.scrollHeight - talk.scrollTop - talk.clientHeight < 60) sticks = true;
  else if (talk.scrollTop < scrolled - 2) sticks = false;
  scrolled = talk.scrollTop;
}

function select(entry, number) {
  follows = false;
  document.body.classList.add("looking");
  showWire(entry, number);
}

function append(entry) {
  if (entry.at - last > PAUSE) {
    const time = new Date(entry.at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    said.append(make("time.clock", {}, time));
  }
  last = entry.at;
  const row = makeRow(entry, select);
  rows.set(entry.id, row);
  said.append(row);
  while (rows.size > MOST) {
    const [oldest, element] = rows.entries().next().value;
    element.remove();
    rows.delete(oldest);
    entries.delete(oldest);
  }
}

function show(entry) {
  const known = rows.get(entry.id);
  entries.set(entry.id, entry);
  if (known) updateRow(known, entry, select);
  else append(entry);
  if (entry.kind === "message" || entry.kind === "service") refreshWire(entry.id);
}

function empty() {
  entries.clear();
  rows.clear();
  last = 0;
  said.replaceChildren();
  closePanel();
}

function redraw() {
  const kept = [...entries.values()];
  rows.clear();
  last = 0;
  sticks = true;
  said.replaceChildren();
  kept.forEach(append);
  showEmpty();
}

function showEmpty() {
  said.querySelector(".nothing")?.remove();
  if (!rows.size) said.append(make("div.nothing", {}, make("p", {}, t("empty")), make("small", {}, t("emptyMore")), make("code", {}, named.about?.url ?? "")));
}

// --- unique entries ----------------------------------------------------------------------------------------------------

function choose(id, name, options) {
  chosen[name] = options.includes(chosen[name]) ? chosen[name] : options[0];
  const caption = (option) => (name === "mode" ? t(option) : option.toUpperCase());
  find(id).replaceChildren(...options.map((option) => make("button", {
    type: "button", role: "radio", ariaChecked: String(option === chosen[name]), onclick: () => { chosen[name] = option; choose(id, name, options); },
  }, caption(option))));
}

function showAbout(about) {
  find("url").textContent = about.url;
  find("url").title = about.url;
  find("name").textContent = t(about.account_kind === "mini_program" ? "program" : "account");
  choose("modes", "mode", about.modes);
  choose("formats", "format", ["xml", "json"]);
}

function showAccount(account) {
  const name = account.is_verified ? "verified" : "unverified";
  const button = find("verified");
  button.hidden = named.about?.account_kind === "mini_program";
  button.textContent = t(`${name}Account`);
  button.title = t(`${name}Hint`);
  button.ariaChecked = String(account.is_verified);
}

function showBot(bot) {
  find("bot").className = `bot ${bot.is_up ? "up" : "down"}`;
  if (bot.is_up) say("");
  else say(`${t("unreachable")}：${pick(bot.problem.what)}（${pick(bot.problem.detail)}）。${t("fix")}：${pick(bot.problem.fix)}。${t("waiting")}`);
}

function say(text) {
  find("banner").textContent = language === "zh" ? text : text.replaceAll("：", ": ").replaceAll("（", " (").replaceAll("）", ")").replaceAll("。", ". ");
  find("banner").hidden = !text;
}

let stopsTyping;

function showTyping(typing) {
  clearTimeout(stopsTyping);
  find("typing").textContent = typing.is_on ? t("typing") : "";
  stopsTyping = setTimeout(() => { find("typing").textContent = ""; }, 15_000);
}

const SHOW = { about: showAbout, account: showAccount, menu: showMenu, user: showUser, bot: showBot, typing: showTyping, cleared: () => {} };

// --- following ---------------------------------------------------------------------------------------------------------

function apply(batch) {
  for (const entry of batch.filter((one) => typeof one.id === "string")) {
    if (entry.kind === "cleared" && named.cleared?.before !== entry.before) empty();
    named[entry.kind] = entry;
    SHOW[entry.kind]?.(entry);
  }
  const news = batch.filter((one) => typeof one.id === "number").sort((one, other) => one.id - other.id);
  const newest = news.findLast((one) => one.kind === "message" && !rows.has(one.id));
  news.forEach(show);
  if (newest && follows) showWire(newest.id);
  showEmpty();
}

let source;
let known = 0;

/** Follow while the page is visible: a browser opens only six connections to a server. */
function follow() {
  source?.close();
  if (document.hidden) return;
  source = new EventSource(`/playground/events?known=${known}`);
  source.addEventListener("message", (event) => {
    known = event.lastEventId;
    if (find("banner").dataset.lost) {
      delete find("banner").dataset.lost;
      if (named.bot) showBot(named.bot); else say("");
    }
    apply(JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    find("banner").dataset.lost = "yes";
    say(t(source.readyState === EventSource.CLOSED ? "ended" : "lost"));
  });
}

function draw() {
  translate();
  find("language").textContent = language === "zh" ? "EN" : "中文";
  drawExtras();
  for (const [kind, entry] of Object.entries(named)) SHOW[kind]?.(entry);
  redraw();
  redrawPanel();
}

find("language").addEventListener("click", () => { setLanguage(language === "zh" ? "en" : "zh"); draw(); });
find("verify").addEventListener("click", verify);
find("verified").addEventListener("click", () => {
  const isVerified = !named.account.is_verified;
  setVerified(isVerified);
  tell(t(isVerified ? "verifiedHint" : "unverifiedHint"));
});
find("clear").addEventListener("click", clear);
document.addEventListener("asked", () => { follows = sticks = true; });
document.addEventListener("visibilitychange", follow);
talk.addEventListener("scroll", noteScroll);
for (const element of [talk, said]) new ResizeObserver(goToEnd).observe(element);

startComposing();
draw();
follow();
