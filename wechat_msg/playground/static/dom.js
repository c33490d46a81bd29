// Create elements. Text is always set as text, so a bot's answer never becomes markup.

export const find = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name || "div");
  element.classList.add(...classes);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && key !== "list") element[key] = value;
    else element.setAttribute(key, value);
  }
  for (const child of children.flat()) { // one by one: the number of arguments of a call is limited
    if (child !== null && child !== undefined && child !== "") element.append(child);
  }
  return element;
}

const SHAPES = {
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.500 9.500h.01",
  voice: "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM6 11a6 6 0 0 0 12 0M12 17v4M9 21h6",
  video: "M3 6h12v12H3zM15 10l6-3v10l-6-3",
  location: "M12 21s7-6.200 7-11.500a7 7 0 0 0-14 0C5 14.800 12 21 12 21zM12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.700-5.700l-1.500 1.500M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.700 5.700l1.500-1.500",
  program: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.500 16a2 2 0 1 0 2-2h0v-4a2 2 0 1 1 2 2",
  scan: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M4 12h16",
  find: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500L21 21",
  custom: "M8 5l-5 7 5 7M16 5l5 7-5 7M13.500 4l-3 16",
  plus: "M12 5v14M5 12h14",
  music: "M9 18V6l11-2v12M9 18a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0zM20 16a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  close: "M6 6l12 12M18 6L6 18",
  play: "M8 5l11 7-11 7z",
  menu: "M5 7h14M5 12h14M5 17h9",
  wave: "M7 10v4M11 7v10M15 9v6M19 11v2",
  card: "M3 6h18v12H3zM3 10h18M6 15h4",
};

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

let hiding;

export function tell(text) {
  const toast = find("toast");
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { toast.hidden = true; }, 4000);
}
