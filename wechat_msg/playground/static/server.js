// Requests to the playground's server.

import { tell } from "./dom.js";
import { pick, t } from "./texts.js";

const MOST_BYTES = 10 * 1024 * 1024;
export const chosen = { mode: "", format: "xml", openid: "" };

async function ask(path, options) {
  try {
    const response = await fetch(`/playground/${path}`, options);
    const answer = await response.json();
    if (response.ok) return answer;
    tell(pick(answer.error));
  } catch {
    tell(t("lost"));
  }
  return null;
}

function post(path, asked = {}) {
  document.dispatchEvent(new Event("asked"));
  return ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked) });
}

export function push(fields) {
  document.dispatchEvent(new Event("sent"));
  return post("pushes", { fields, ...chosen });
}

export const pushEvent = (event, fields = {}) => push({ MsgType: "event", Event: event, ...fields });
export const verify = () => post("verification");
export const setVerified = (isVerified) => post("account", { is_verified: isVerified });
export const setDelay = (delay) => post("account", { delay });
export const clear = () => post("clearing");
export const addUser = (openid) => post("users", { openid });

/** Send a message once more: as it was, only one of its tries, or as a new message. */
export const replay = (entry, { number = null, isNew = false } = {}) => post("replays", { entry, number, is_new: isNew });

export const getCopies = (entry, number) => ask(`copies/${entry}${number ? `?number=${number}` : ""}`);
export const importConversation = (file) => ask("conversation", { method: "POST", headers: { "Content-Type": "application/json" }, body: file });

export async function getWire(entry) {
  const response = await fetch(`/playground/wires/${entry}`).catch(() => null);
  return response?.ok ? response.json() : null;
}

const TYPES = { amr: "audio/amr", speex: "audio/x-speex", silk: "audio/silk", mp3: "audio/mpeg", mp4: "video/mp4" };

export async function upload(kind, file) {
  if (file.size > MOST_BYTES) {
    tell(t("tooLarge"));
    return null;
  }
  const name = file.name || kind;
  const type = file.type || TYPES[name.split(".").pop().toLowerCase()] || "application/octet-stream";
  const query = new URLSearchParams({ kind, name });
  return ask(`media?${query}`, { method: "POST", headers: { "Content-Type": type }, body: file });
}
