// The page: follows the conversation and updates what it shows.

import { makeRow, updateRow } from "./bubbles.js";
import { drawExtras, showMenu, startComposing } from "./compose.js";
import { find, make, tell } from "./dom.js";
import { closePanel, redrawPanel, refreshWire, showWire } from "./panel.js";
import { filterRows, isFound, startSearching } from "./search.js";
import { chosen, clear, importConversation, setDelay, setVerified, verify } from "./server.js";
import { language, pick, setLanguage, t, translate } from "./texts.js";
import { countUnread, isShown, showUsers } from "./users.js";

const MOST = 2000;
const PAUSE = 300; // seconds without a message after which the time is shown again
const DELAYS = [0, 0.5, 1, 2, 4]; // seconds
const entries = new Map(); // messages of all users by number
const rows = new Map(); // rows of the user who is shown
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
  row.hidden = !isFound(entry);
  rows.set(entry.id, row);
  said.append(row);
}

function forgetOldest() {
  while (entries.size > MOST) {
    const [oldest] = entries.keys();
    rows.get(oldest)?.remove();
    rows.delete(oldest);
    entries.delete(oldest);
  }
}

function show(entry) {
  const known = rows.get(entry.id);
  entries.set(entry.id, entry);
  forgetOldest();
  if (known) updateRow(known, entry, select);
  else if (isShown(entry)) append(entry);
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
  kept.filter(isShown).forEach(append);
  filter();
  showEmpty();
}

const filter = () => filterRows([...rows].map(([number, row]) => [entries.get(number), row]));

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
  find("delay").replaceChildren(...[...new Set([...DELAYS, account.delay])].sort((one, other) => one - other).map((seconds) =>
    make("option", { value: seconds, selected: seconds === account.delay }, seconds ? t("seconds", { n: seconds }) : t("noDelay"))));
  find("tools").classList.toggle("on", account.delay > 0);
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
  find("typing").textContent = typing.is_on && isShown(typing) ? t("typing") : "";
  stopsTyping = setTimeout(() => { find("typing").textContent = ""; }, 15_000);
}

const SHOW = { about: showAbout, account: showAccount, menu: showMenu, users: showUsers, bot: showBot, typing: showTyping, cleared: () => {} };

// --- following ---------------------------------------------------------------------------------------------------------

function apply(batch) {
  for (const entry of batch.filter((one) => typeof one.id === "string")) {
    if (entry.kind === "cleared" && named.cleared?.before !== entry.before) empty();
    named[entry.kind] = entry;
    SHOW[entry.kind]?.(entry);
  }
  const news = batch.filter((one) => typeof one.id === "number").sort((one, other) => one.id - other.id);
  const newest = news.findLast((one) => one.kind === "message" && isShown(one) && !rows.has(one.id));
  if (hasBegun) news.filter((one) => !entries.has(one.id)).forEach(countUnread);
  hasBegun = true;
  news.forEach(show);
  filter();
  if (newest && follows) showWire(newest.id);
  showEmpty();
}

let source;
let known = 0;
let hasBegun = false; // what came before the page was opened counts as read

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
find("delay").addEventListener("change", (event) => setDelay(Number(event.target.value)));
find("import").addEventListener("change", async (event) => {
  const answer = await importConversation(event.target.files[0]);
  event.target.value = "";
  find("tools").open = false;
  if (answer) tell(t("imported", { n: answer.entries }));
});
document.addEventListener("click", (event) => { if (!find("tools").contains(event.target)) find("tools").open = false; });
document.addEventListener("chosen", () => { redraw(); closePanel(); follows = true; if (named.typing) showTyping({ ...named.typing, is_on: false }); });
document.addEventListener("asked", () => { follows = sticks = true; find("tools").open = false; });
document.addEventListener("visibilitychange", follow);
talk.addEventListener("scroll", noteScroll);
for (const element of [talk, said]) new ResizeObserver(goToEnd).observe(element);

startComposing();
startSearching(filter);
draw();
follow();
