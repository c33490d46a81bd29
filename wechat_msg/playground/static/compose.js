// The user's actions: writing, sending files and cards, pressing menu buttons, following.

import { askFor, askForFile, askForJson } from "./dialogs.js";
import { find, icon, make, tell } from "./dom.js";
import { makeImage, makeVideo, makeVoice } from "./samples.js";
import { push, pushEvent, upload } from "./server.js";
import { pick, t } from "./texts.js";
import { isFollower } from "./users.js";

// --- messages ----------------------------------------------------------------------------------------------------------

async function sendImage(file) {
  const made = await upload("image", file);
  return made && push({ MsgType: "image", PicUrl: made.url, MediaId: made.media_id });
}

async function sendVoice(file) {
  const made = await upload("voice", file);
  const format = file.name.split(".").pop().toLowerCase();
  return made && push({ MsgType: "voice", Format: format, MediaId: made.media_id, MediaId16K: made.media_id });
}

async function sendVideo(file) {
  const made = await upload("video", file);
  const cover = made && (await upload("image", await makeImage()));
  return cover && push({ MsgType: "video", MediaId: made.media_id, ThumbMediaId: cover.media_id });
}

const pushPlace = ({ x, y, label }) => push({ MsgType: "location", Location_X: x, Location_Y: y, Scale: "15", Label: label });

const askForPlace = (confirm) =>
  askFor(t("location"), [["label", t("label"), t("samplePlace")], ["x", t("latitude"), "39.908823"], ["y", t("longitude"), "116.397470"]], confirm);

const askForLink = () => askFor(t("link"), [
  ["Title", t("titleField"), t("sampleTitle")], ["Description", t("description"), t("sampleDescription")],
  ["Url", "Url", "https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html"],
], (asked) => push({ MsgType: "link", ...asked }));

const askForProgram = () => askFor(t("mini"), [
  ["Title", t("titleField"), t("sampleProgram")], ["AppId", "AppId", "wxabcdef0123456789"], ["PagePath", "PagePath", "pages/goods/detail?id=42"],
], async (asked) => {
  const cover = await upload("image", await makeImage());
  return cover && push({ MsgType: "miniprogrampage", ...asked, ThumbUrl: cover.url, ThumbMediaId: cover.media_id });
});

const makeExamples = () => ({
  text: { MsgType: "text", Content: t("sampleText") },
  shortvideo: { MsgType: "shortvideo", MediaId: "MEDIA_ID", ThumbMediaId: "THUMB_MEDIA_ID" },
  file: { MsgType: "file", Title: t("sampleFile"), Description: "", FileKey: "FILE_KEY", FileMd5: "d41d8cd98f00b204e9800998ecf8427e", FileTotalLen: 1024 },
  LOCATION: { MsgType: "event", Event: "LOCATION", Latitude: 23.137466, Longitude: 113.352425, Precision: 119.385 },
  TEMPLATESENDJOBFINISH: { MsgType: "event", Event: "TEMPLATESENDJOBFINISH", MsgID: 200163836, Status: "success" },
  MASSSENDJOBFINISH: { MsgType: "event", Event: "MASSSENDJOBFINISH", MsgID: 1000001625, Status: "send success", TotalCount: 100, FilterCount: 80, SentCount: 75, ErrorCount: 5 },
  subscribe_msg_popup_event: { MsgType: "event", Event: "subscribe_msg_popup_event", SubscribeMsgPopupEvent: { List: [{ TemplateId: "TEMPLATE_ID", SubscribeStatusString: "accept", PopupScene: 1 }] } },
  user_enter_tempsession: { MsgType: "event", Event: "user_enter_tempsession", SessionFrom: "SESSION_FROM" },
  kf_create_session: { MsgType: "event", Event: "kf_create_session", KfAccount: "agent@wechat" },
});

const EXTRAS = [
  ["image", "image", () => askForFile(t("image"), "image/*", makeImage, sendImage)],
  ["voice", "voice", () => askForVoice()],
  ["video", "video", () => askForFile(t("video"), "video/*", makeVideo, sendVideo)],
  ["location", "location", () => askForPlace(pushPlace)],
  ["link", "link", askForLink],
  ["mini", "program", askForProgram],
  ["scan", "scan", () => askForScan()],
  ["custom", "custom", () => askForJson(t("custom"), makeExamples(), push)],
];

const askForVoice = () => askForFile(t("voice"), "audio/*,.amr,.silk,.speex", makeVoice, sendVoice);

// --- scanning ----------------------------------------------------------------------------------------------------------

function askForScan() {
  askFor(t("scan"), [["scene", t("scene"), "spring-2026"]], ({ scene }) => (isFollower()
    ? pushEvent("SCAN", { EventKey: scene, Ticket: "TICKET" })
    : pushEvent("subscribe", { EventKey: `qrscene_${scene}`, Ticket: "TICKET" })));
}

// --- the menu ----------------------------------------------------------------------------------------------------------

const askForCode = (button) => askFor(nameOf(button), [["result", t("scanResult"), "https://example.com/coffee/42"]], ({ result }) =>
  pushEvent(button.type, { EventKey: button.key, ScanCodeInfo: { ScanType: "qrcode", ScanResult: result } }));

/** As WeChat does: first the event, then a message for the chosen picture. */
const askForPictures = (button) => askForFile(nameOf(button), "image/*", makeImage, async (file) => {
  const made = await upload("image", file);
  if (!made) return;
  const pictures = { Count: 1, PicList: { item: [{ PicMd5Sum: made.md5 }] } };
  await pushEvent(button.type, { EventKey: button.key, SendPicsInfo: pictures });
  await push({ MsgType: "image", PicUrl: made.url, MediaId: made.media_id });
});

const choosePlace = (button) => askForPlace(async (place) => {
  const chosen = { Location_X: place.x, Location_Y: place.y, Scale: "15", Label: place.label, Poiname: "" };
  await pushEvent("location_select", { EventKey: button.key, SendLocationInfo: chosen });
  await pushPlace(place);
});

const PRESS = {
  click: (button) => pushEvent("CLICK", { EventKey: button.key }),
  view: (button) => pushEvent("VIEW", { EventKey: button.url }),
  miniprogram: (button) => pushEvent("view_miniprogram", { EventKey: button.pagepath }),
  scancode_push: askForCode,
  scancode_waitmsg: askForCode,
  pic_sysphoto: askForPictures,
  pic_photo_or_album: askForPictures,
  pic_weixin: askForPictures,
  location_select: choosePlace,
};

const press = (button) => (PRESS[button.type] ?? (() => tell(t("noPush"))))(button);

const hideMenus = () => document.querySelectorAll(".sub").forEach((sub) => { sub.hidden = true; });

/** A name; those of the sample menu are in both languages. */
const nameOf = (button) => (button.name?.en && button.name.zh ? pick(button.name) : String(button.name ?? ""));

const listButtons = (buttons) => (Array.isArray(buttons) ? buttons.filter((one) => one && typeof one === "object") : []);

function makeButton(button) {
  const buttons = listButtons(button.sub_button);
  const name = nameOf(button);
  if (!buttons.length) return make("div", {}, make("button", { type: "button", onclick: () => press(button) }, name));
  const sub = make("div.sub", { hidden: true }, buttons.map((one) =>
    make("button", { type: "button", onclick: () => { hideMenus(); press(one); } }, nameOf(one))));
  const toggle = (event) => {
    event.stopPropagation();
    const isHidden = sub.hidden;
    hideMenus();
    sub.hidden = !isHidden;
  };
  return make("div", {}, sub, make("button", { type: "button", ariaHasPopup: "true", onclick: toggle }, icon("menu"), name));
}

export function showMenu(menu) {
  find("menu").replaceChildren(...listButtons(menu.buttons).map(makeButton));
  find("menu").title = menu.is_sample ? t("sampleMenu") : "";
}

// --- the line at the bottom --------------------------------------------------------------------------------------------

function grow(text) {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, 120)}px`;
  find("send").hidden = !text.value.trim();
  find("more").hidden = Boolean(text.value.trim());
}

function sendText() {
  const text = find("text");
  if (!text.value.trim()) return;
  push({ MsgType: "text", Content: text.value });
  text.value = "";
  grow(text);
}

function paste(event) {
  const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  sendImage(file);
}

function showExtras(isShown) {
  find("extras").hidden = !isShown;
  find("more").ariaExpanded = String(isShown);
}

export function drawExtras() {
  find("extras").replaceChildren(...EXTRAS.map(([name, shape, act]) =>
    make("button", { type: "button", onclick: act }, make("span", {}, icon(shape)), t(name))));
}

export function startComposing() {
  const text = find("text");
  text.addEventListener("input", () => grow(text));
  text.addEventListener("paste", paste);
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    find("compose").requestSubmit();
  });
  find("compose").addEventListener("submit", (event) => { event.preventDefault(); sendText(); });
  find("voice").append(icon("voice"));
  find("voice").addEventListener("click", askForVoice);
  find("scan").append(icon("scan"));
  find("scan").addEventListener("click", askForScan);
  find("more").append(icon("plus"));
  find("more").addEventListener("click", () => showExtras(find("extras").hidden));
  document.addEventListener("sent", () => showExtras(false));
  find("follow").addEventListener("click", () => pushEvent(isFollower() ? "unsubscribe" : "subscribe"));
  document.addEventListener("click", hideMenus);
}
