// One row of the conversation for each entry.

import { icon, make } from "./dom.js";
import { findLinks, isWeb } from "./links.js";
import { push } from "./server.js";
import { pick, t } from "./texts.js";
import { readPush, readReply, readService, readTemplate } from "./views.js";

export const seconds = (value) => (value < 1 ? `${Math.max(1, Math.round(value * 1000))} ms` : `${value.toFixed(2)} s`);

const file = (media) => `/playground/media/${encodeURIComponent(media ?? "")}`;

// --- content -----------------------------------------------------------------------------------------------------------

const LONGEST_WITH_LINKS = 10_000; // a message of many more elements would make the page slow

/** Text with its links; other markup stays text. */
function write(text) {
  if (text.length > LONGEST_WITH_LINKS) return [text];
  const parts = [];
  let end = 0;
  for (const link of findLinks(text)) {
    parts.push(text.slice(end, link.begin), linkTo(link.url, link.label));
    end = link.end;
  }
  return [...parts, text.slice(end)];
}

const linkTo = (url, ...children) => make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...children);

/** A card with a link, if its address is a web page. */
const frame = (name, url, ...children) =>
  isWeb(url) ? Object.assign(linkTo(url, ...children), { className: name }) : make("div", { className: name }, ...children);

function picture(url, className = "picture") {
  if (!url) return null;
  const why = t(url.startsWith("/") ? "noMedia" : "noPicture");
  const missing = () => make("span", { className: `missing ${className}`, title: url }, icon("image"), make("small", {}, why));
  const image = make("img", { className, alt: "", referrerPolicy: "no-referrer", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(missing()));
  image.src = url;
  return image;
}

/** Files of the playground are loaded from this page's own address, whichever host name the bot uses. */
function resolve(url) {
  const own = String(url ?? "").match(/\/fake\/file\?media_id=([\w-]+)$/);
  return own ? file(own[1]) : isWeb(url) ? url : "";
}

const lines = (view) => [
  make("strong", {}, view.title ?? ""),
  view.description ? make("p", {}, view.description) : null,
];

function voice(view) {
  const audio = make("audio", { src: file(view.media), preload: "metadata" });
  const length = make("span", {}, "");
  audio.addEventListener("loadedmetadata", () => { length.textContent = Number.isFinite(audio.duration) ? `${Math.max(1, Math.round(audio.duration))}″` : ""; });
  audio.addEventListener("error", () => { length.textContent = "AMR"; });
  const bubble = make("button.bubble.voice", { type: "button", ariaLabel: t("voice"), onclick: () => audio.play().catch(() => {}) }, icon("wave"), length, audio);
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, () => bubble.classList.toggle("playing", !audio.paused));
  return view.text ? make("div.stack", {}, bubble, make("div.bubble.heard", {}, view.text)) : bubble;
}

function music(view) {
  const sound = isWeb(view.url) ? make("audio", { src: view.url, preload: "none", controls: true }) : null;
  return make("div.card.music", {}, make("div.row", {}, picture(file(view.media), "cover"), make("div", {}, lines(view)), icon("music")), sound);
}

function news(view) {
  const [first, ...others] = view.articles;
  if (!first) return other({ name: "news", content: {} });
  const lead = frame("lead", first.url, picture(resolve(first.picture), "wide"), make("strong", {}, first.title ?? ""),
    !others.length && first.description ? make("p", {}, first.description) : null);
  const rest = others.map((one) => frame("next", one.url, make("span", {}, one.title ?? ""), picture(resolve(one.picture), "square")));
  return make("div.card.news", {}, lead, rest);
}

function choice(view) {
  const choose = (one) => push({ MsgType: "text", Content: String(one.content ?? ""), bizmsgmenuid: String(one.id ?? "") });
  return make("div.bubble.choices", {},
    view.head ? make("p", {}, write(String(view.head))) : null,
    view.choices.map((one) => make("button", { type: "button", onclick: () => choose(one) }, String(one.content ?? ""))),
    view.tail ? make("p", {}, write(String(view.tail))) : null);
}

const mini = (view) => make("div.card.mini", {},
  make("small", {}, icon("program"), t("mini")), make("strong", {}, view.title ?? ""),
  picture(view.media ? file(view.media) : resolve(view.picture), "wide"), make("small.foot", {}, icon("program"), view.page || t("miniLabel")));

const place = (view) => make("div.card.place", {},
  make("strong", {}, view.title || t("location")), make("small", {}, `${view.x ?? ""}, ${view.y ?? ""}`), make("div.map", {}, icon("location")));

const plainCard = (name, view, mark) => make("div.card.short", {},
  make("div.row", {}, make("div", {}, make("strong", {}, view.title || name), make("small", {}, name)), icon(mark)));

const template = (view) => frame("card template", view.url, make("strong", {}, view.title || t("template")),
  make("dl", {}, view.items.flatMap(([key, value]) => [make("dt", {}, key), make("dd", {}, value)])));

const other = (view) => make("div.card.raw", {}, make("strong", {}, String(view.name ?? "")), make("pre", {}, JSON.stringify(view.content, null, 2)));

const DRAW = {
  text: (view) => make("div.bubble", {}, write(String(view.text ?? ""))),
  image: (view) => picture(view.media ? file(view.media) : resolve(view.picture) || file("")),
  video: (view) => make("div.card.film", {}, make("video", { src: file(view.media), controls: true, preload: "metadata" }), view.title ? lines(view) : null),
  link: (view) => frame("card link", view.url, make("strong", {}, view.title || String(view.url ?? "")),
    make("div.row", {}, make("p", {}, view.description ?? ""), view.picture ? picture(resolve(view.picture), "square") : icon("link"))),
  file: (view) => plainCard(t("file"), view, "file"),
  card: (view) => plainCard(t("wxcard"), view, "card"),
  article: (view) => plainCard(t("article"), view, "file"),
  location: place, voice, music, news, choice, mini, template, other,
};

const draw = (view) => DRAW[view.type](view);

// --- rows --------------------------------------------------------------------------------------------------------------

const avatar = (who) => make("img.avatar", { src: `/playground/static/${who}.svg`, alt: "" });
const notice = (...children) => make("p.notice", {}, ...children);

const EVENTS = {
  subscribe: (key) => (key ? t("subscribedBy", { key: key.replace(/^qrscene_/, "") }) : t("subscribed")),
  unsubscribe: () => t("unsubscribed"),
  scan: (key) => t("scanned", { key }),
  click: (key) => t("clicked", { key }),
  view: (key) => t("viewed", { key }),
};

const describe = (view) => (EVENTS[view.event.toLowerCase()] ?? (() => t("event", { event: view.event })))(view.key);

function message(entry, select) {
  const view = readPush(entry.fields);
  const isEvent = view.type === "event" || !entry.fields.MsgType;
  const replays = entry.replays && make("small.label", {}, entry.replays[1] ? t("replayOfTry", { n: entry.replays[1] }) : t("replayOf"));
  const said = isEvent ? notice(entry.fields.MsgType ? describe(view) : t("verifying")) : draw(view);
  return make(isEvent ? "div.row-event" : "div.row-user", {},
    make("div.said", {}, replays, said, status(entry, select)), isEvent ? null : avatar("user"));
}

function status(entry, select) {
  const chips = entry.tries.map((one) => chip(entry, one, select));
  return make("div.status", {}, chips, entry.is_done ? null : pending(entry));
}

function chip(entry, one, select) {
  const isFailed = one.outcome === "failed";
  const isFirst = entry.tries.length === 1 && !isFailed;
  const outcome = isFailed ? pick(one.problem.what) : { acknowledged: t("success"), replied: t("replied"), verified: t("verified") }[one.outcome];
  const label = isFirst ? outcome : `${t("attempt", { n: one.number })} · ${outcome}`;
  return make("button.chip", {
    type: "button", className: `chip ${one.outcome}`, title: outcome,
    onclick: (event) => { event.stopPropagation(); select(entry.id, one.number); },
  }, make("span", {}, label), make("time", {}, seconds(one.seconds)));
}

function pending(entry) {
  const next = entry.tries.length + 1;
  const label = next > 1 ? `${t("attempt", { n: next })} · ${t("sending")}` : t("sending");
  return make("span.chip.pending", {}, make("i.spinner"), make("span", {}, label));
}

const answer = (view, label = "", title = "") => make("div.row-account", {}, avatar("account"),
  make("div.said", {}, label ? make("small.label", { title }, label) : null, draw(view)));

function nameReply(entry) {
  const what = entry.number > 1 ? t("passiveTo", { n: entry.number }) : t("passive");
  return [entry.answered ? t("answerTo", { what, text: entry.answered }) : what,
    entry.mark ? t(entry.mark) : "", entry.part ? t("part", { n: entry.part }) : ""].filter(Boolean).join(" · ");
}

function nameService(entry) {
  const agent = entry.message.customservice?.kf_account;
  const what = entry.nth > 1 ? t("serviceNumber", { n: entry.nth }) : t("service");
  const follows = entry.nth && t(entry.follows ? "followsText" : "follows", { time: seconds(entry.after), text: entry.follows });
  return [what, agent, follows].filter(Boolean).join(" · ");
}

function reply(entry) {
  const view = readReply(entry.reply);
  if (view.type !== "transfer") return answer(view, nameReply(entry), entry.mark ? t(`${entry.mark}Hint`) : "");
  return make("div.row-event", {}, notice(view.who ? t("transferredTo", { who: view.who }) : t("transferred")));
}

const service = (entry) => answer(readService(entry.message), nameService(entry));

function failure(entry) {
  const { problem } = entry;
  return make("div.row-event", {}, entry.notice ? notice(entry.notice) : null,
    make("div.trouble", {},
      make("p", {}, make("b", {}, t("why")), make("span", {}, pick(problem.what), pick(problem.detail) ? make("code", {}, pick(problem.detail)) : null)),
      problem.fix ? make("p", {}, make("b", {}, t("fix")), make("span", {}, pick(problem.fix))) : null,
      entry.notice ? null : make("small", {}, t("notShown"))));
}

function refused(entry) {
  const trouble = make("div.row-event", {}, make("div.trouble", {},
    make("p", {}, make("b", {}, t("refused")), make("code", {}, entry.path)),
    make("p", {}, make("code", {}, String(entry.answer.errcode)), make("span", {}, String(entry.answer.errmsg ?? ""))),
    pick(entry.advice) ? make("p", {}, make("b", {}, t("fix")), make("span", {}, pick(entry.advice))) : null));
  if (!entry.message) return trouble;
  const lost = answer(readService(entry.message), t("unsent"));
  lost.classList.add("unsent");
  return make("div", {}, lost, trouble);
}

const ROWS = { message, reply, service, failure, refused, template: (entry) => answer(readTemplate(entry), t("template")) };

function drawRow(entry, select) {
  try {
    return ROWS[entry.kind](entry, select);
  } catch { // an unknown structure
    return make("div.row-event", {}, other({ name: entry.kind, content: entry }));
  }
}

/** Create the row of an entry; *select* is called with the entry and the try to show in the panel. */
export function makeRow(entry, select) {
  const row = drawRow(entry, select);
  row.classList.add("row-of");
  row.dataset.of = entry.of ?? entry.id;
  row.addEventListener("click", (event) => {
    if (!event.target.closest("a, button, video, audio")) select(entry.of ?? entry.id);
  });
  return row;
}

/** Update the row of an entry. */
export function updateRow(row, entry, select) {
  row.querySelector(".status")?.replaceWith(status(entry, select));
}
