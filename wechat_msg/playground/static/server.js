// Requests to the playground's server.

import { tell } from "./dom.js";
import { pick, t } from "./texts.js";

const MOST_BYTES = 10 * 1024 * 1024;
export const chosen = { mode: "", format: "xml" };

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

export const push = (fields) => post("pushes", { fields, ...chosen });
export const pushEvent = (event, fields = {}) => push({ MsgType: "event", Event: event, ...fields });
export const verify = () => post("verification");
export const setVerified = (isVerified) => post("account", { is_verified: isVerified });
export const clear = () => post("clearing");

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
