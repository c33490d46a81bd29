// Convert pushes, replies and customer-service messages to one kind of view for the bubbles.

const list = (value) => (Array.isArray(value) ? value : value === undefined || value === "" ? [] : [value]);

export function readPush(fields) {
  const common = { title: fields.Title, description: fields.Description };
  switch (fields.MsgType) {
    case "text": return { type: "text", text: fields.Content };
    case "image": return { type: "image", media: fields.MediaId, picture: fields.PicUrl };
    case "voice": return { type: "voice", media: fields.MediaId, text: fields.Recognition };
    case "video": case "shortvideo": return { type: "video", media: fields.MediaId };
    case "location": return { type: "location", title: fields.Label, x: fields.Location_X, y: fields.Location_Y };
    case "link": return { type: "link", ...common, url: fields.Url };
    case "miniprogrampage": return { type: "mini", ...common, page: fields.PagePath, picture: fields.ThumbUrl, media: fields.ThumbMediaId };
    case "file": return { type: "file", ...common };
    case "event": return { type: "event", event: String(fields.Event ?? ""), key: String(fields.EventKey ?? "") };
    default: return { type: "other", name: fields.MsgType, content: fields };
  }
}

export function readReply(reply) {
  const inner = (name) => reply[name] ?? {};
  switch (reply.MsgType) {
    case "text": return { type: "text", text: reply.Content };
    case "image": return { type: "image", media: inner("Image").MediaId };
    case "voice": return { type: "voice", media: inner("Voice").MediaId };
    case "video": {
      const video = inner("Video");
      return { type: "video", media: video.MediaId, title: video.Title, description: video.Description };
    }
    case "music": {
      const music = inner("Music");
      return { type: "music", title: music.Title, description: music.Description, url: music.HQMusicUrl || music.MusicUrl, media: music.ThumbMediaId };
    }
    case "news": {
      const articles = reply.Articles?.item ?? reply.Articles;
      return {
        type: "news",
        articles: list(articles).map((one) => ({ title: one.Title, description: one.Description, picture: one.PicUrl, url: one.Url })),
      };
    }
    case "transfer_customer_service": return { type: "transfer", who: reply.TransInfo?.KfAccount };
    default: return { type: "other", name: reply.MsgType, content: reply };
  }
}

export function readService(message) {
  const inner = message[message.msgtype] ?? {};
  const common = { title: inner.title, description: inner.description };
  switch (message.msgtype) {
    case "text": return { type: "text", text: inner.content };
    case "image": return { type: "image", media: inner.media_id };
    case "voice": return { type: "voice", media: inner.media_id };
    case "video": return { type: "video", ...common, media: inner.media_id };
    case "music": return { type: "music", ...common, url: inner.hqmusicurl || inner.musicurl, media: inner.thumb_media_id };
    case "news": return {
      type: "news",
      articles: list(inner.articles).map((one) => ({ title: one.title, description: one.description, picture: one.picurl, url: one.url })),
    };
    case "msgmenu": return { type: "choice", head: inner.head_content, tail: inner.tail_content, choices: list(inner.list) };
    case "link": return { type: "link", ...common, url: inner.url, picture: inner.thumb_url };
    case "miniprogrampage": return { type: "mini", ...common, page: inner.pagepath, media: inner.thumb_media_id };
    case "wxcard": return { type: "card", title: inner.card_id };
    case "mpnews": return { type: "article", title: inner.media_id };
    case "mpnewsarticle": return { type: "article", title: inner.article_id };
    default: return { type: "other", name: message.msgtype, content: message };
  }
}

export const readTemplate = (entry) => ({
  type: "template",
  title: entry.title,
  url: entry.message.url,
  items: Object.entries(entry.message.data ?? {}).map(([key, item]) => [key, String(item?.value ?? "")]),
});
