// The users of the account: who writes, who follows, and whose answers have not been read.

import { askFor } from "./dialogs.js";
import { find, make } from "./dom.js";
import { addUser, chosen } from "./server.js";
import { t } from "./texts.js";

let users = [];
const unread = new Map();

export const isShown = (entry) => !entry.user || entry.user === chosen.openid;
export const isFollower = () => users.find((one) => one.openid === chosen.openid)?.is_follower ?? true;

/** Count an answer that the user of another tab has got. */
export function countUnread(entry) {
  if (isShown(entry) || entry.kind === "message") return;
  unread.set(entry.user, (unread.get(entry.user) ?? 0) + 1);
  draw();
}

function choose(openid) {
  chosen.openid = openid;
  unread.delete(openid);
  draw();
  document.dispatchEvent(new Event("chosen"));
}

function askForUser() {
  const known = new Set(users.map((one) => one.openid));
  let number = users.length + 1;
  while (known.has(`oUSER${number}`)) number += 1;
  askFor(t("addUser"), [["openid", "OpenID", `oUSER${number}`]], async ({ openid }) => {
    if (await addUser(openid)) choose(openid);
  }, t("add"));
}

function draw() {
  const tabs = users.map(({ openid, is_follower: follows }) => make("button", {
    type: "button", role: "tab", ariaSelected: String(openid === chosen.openid), className: follows ? "" : "gone",
    title: follows ? openid : `${openid} · ${t("notFollowing")}`, onclick: () => choose(openid),
  }, make("img", { src: "/playground/static/user.svg", alt: "" }), make("span", {}, openid),
  unread.get(openid) ? make("b", {}, String(unread.get(openid))) : null));
  find("users").replaceChildren(make("div.who-all", { role: "tablist", ariaLabel: t("users") }, tabs),
    make("button.add", { type: "button", title: t("addUser"), ariaLabel: t("addUser"), onclick: askForUser }, "+"));
  const button = find("follow");
  const follows = isFollower();
  button.textContent = t(follows ? "unfollow" : "follow");
  button.title = t(follows ? "unfollowHint" : "followHint");
  button.classList.toggle("on", follows);
}

export function showUsers(entry) {
  users = entry.users;
  if (users.some((one) => one.openid === chosen.openid)) draw();
  else choose(users[0].openid);
}
