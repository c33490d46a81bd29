// The links in a text. Each pattern reads a character a few times at most, for any answer.

export const isWeb = (url) => /^https?:\/\//i.test(String(url ?? ""));

const TAG = /<a\s(?:[^<>"']|"[^"<]*"|'[^'<]*')*>/gi; // ends at the next "<" at the latest
const HREF = /\shref\s*=\s*(?:"([^"]*)"|'([^']*)')/i;
const END = /<\/a>/gi;

/** Find `<a href="...">label</a>` with the address of a web page: where it begins and ends, its url and its label. */
export function* findLinks(text) {
  const tags = new RegExp(TAG);
  const ends = new RegExp(END);
  for (let tag; (tag = tags.exec(text));) {
    const href = HREF.exec(tag[0]);
    const url = href?.[1] ?? href?.[2];
    if (!isWeb(url)) continue;
    ends.lastIndex = tags.lastIndex;
    const end = ends.exec(text);
    if (!end) return;
    yield { begin: tag.index, end: ends.lastIndex, url, label: text.slice(tags.lastIndex, end.index) };
    tags.lastIndex = ends.lastIndex;
  }
}
