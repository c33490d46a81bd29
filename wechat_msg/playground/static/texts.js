// The texts of the page, in both languages.

const TEXTS = {
  title: ["Playground", "消息推送调试台"],
  chat: ["Conversation", "会话"],
  mode: ["Encryption mode", "消息加解密方式"],
  format: ["Data format", "数据格式"],
  plain: ["Plain", "明文"],
  compatible: ["Compatible", "兼容"],
  sealed: ["Safe", "安全"],
  verify: ["Verify URL", "接入验证"],
  verifyHint: ["Send the GET by which WeChat verifies the URL", "发送保存服务器配置时的 GET 验证请求"],
  verified: ["URL verified: the bot returned echostr", "URL 验证通过：原样返回了 echostr"],
  verifying: ["URL verification", "接入验证（GET echostr）"],
  clear: ["Clear", "清空"],
  send: ["Send", "发送"],
  placeholder: ["Message", "输入消息"],
  more: ["More", "更多"],
  follow: ["Follow", "关注"],
  unfollow: ["Following", "已关注"],
  followHint: ["Push subscribe", "推送 subscribe 事件"],
  unfollowHint: ["Push unsubscribe", "推送 unsubscribe 事件"],
  typing: ["typing…", "对方正在输入…"],
  account: ["Test account", "我的公众号"],
  program: ["Mini Program support", "小程序客服"],
  menu: ["Menu of the account", "公众号菜单"],
  sampleMenu: ["Sample menu: the bot has not created one", "示例菜单：机器人尚未创建菜单"],
  empty: ["Write to your bot", "对你的机器人说点什么"],
  emptyMore: ["Each message goes as a real, signed push to", "每条消息都会作为真实签名的推送发往"],
  image: ["Picture", "图片"],
  voice: ["Voice", "语音"],
  video: ["Video", "视频"],
  location: ["Location", "位置"],
  link: ["Link", "链接"],
  mini: ["Mini Program", "小程序"],
  scan: ["Scan QR code", "扫一扫"],
  custom: ["Any push", "自定义推送"],
  music: ["Music", "音乐"],
  file: ["File", "文件"],
  wxcard: ["Card", "卡券"],
  article: ["Articles", "图文消息"],
  miniLabel: ["Mini Program", "小程序"],
  noMedia: ["The playground does not have this media_id", "调试台没有这个 media_id"],
  noPicture: ["Cannot load the picture", "图片无法加载"],
  choose: ["Choose a file", "选择文件"],
  sample: ["Use a sample", "使用示例"],
  chooseHint: ["The file is uploaded to the playground, so its MediaId is real. At most 10 MB.", "文件会上传到调试台，MediaId 真实可用；最大 10 MB。"],
  tooLarge: ["Too large: at most 10 MB", "文件过大：最多 10 MB"],
  ok: ["Send", "发送"],
  cancel: ["Cancel", "取消"],
  label: ["Address", "地址"],
  latitude: ["Latitude", "纬度"],
  longitude: ["Longitude", "经度"],
  titleField: ["Title", "标题"],
  description: ["Description", "描述"],
  scene: ["Scene of the QR code", "二维码场景值"],
  scanResult: ["Content of the code", "扫码结果"],
  json: ["Wire names and values, as JSON", "推送内容（JSON，字段名与微信文档一致）"],
  example: ["Example", "示例"],
  badJson: ["Not a JSON object", "不是合法的 JSON 对象"],
  noPush: ["WeChat handles this button itself, without a push", "该按钮由微信直接响应，不产生推送"],
  success: ["success, no reply", "success，无回复"],
  replied: ["replied", "已回复"],
  sending: ["sending", "发送中"],
  failed: ["failed", "失败"],
  attempt: ["try {n}", "第 {n} 次"],
  why: ["Why", "原因"],
  fix: ["Fix", "处理"],
  notShown: ["The user sees nothing.", "用户不会看到任何提示。"],
  transferred: ["Transferred to customer service", "已转接人工客服"],
  transferredTo: ["Transferred to {who}", "已转接客服 {who}"],
  passive: ["passive answer", "被动回复"],
  passiveTo: ["passive answer to try {n}", "被动回复 · 第 {n} 次推送"],
  answerTo: ["{what} · to “{text}”", "{what} · 答「{text}」"],
  service: ["customer-service message", "客服消息"],
  unsent: ["customer-service message · not delivered", "客服消息 · 未送达"],
  textBytes: ["{n} of 2,047 bytes of text", "文本 {n} / 2047 字节"],
  verifiedAccount: ["Verified", "已认证"],
  unverifiedAccount: ["Not verified", "未认证"],
  verifiedHint: ["The account may send customer-service messages", "该账号可以发客服消息"],
  unverifiedHint: ["Customer-service messages are refused (48001)", "客服消息接口会返回 48001"],
  template: ["template message", "模板消息"],
  refused: ["API call refused", "接口调用被拒绝"],
  subscribed: ["You follow the account", "你关注了公众号"],
  subscribedBy: ["You scanned a code and follow the account · scene {key}", "你扫码关注了公众号 · 场景值 {key}"],
  unsubscribed: ["You no longer follow the account", "你取消了关注"],
  scanned: ["You scanned a code · scene {key}", "你扫描了二维码 · 场景值 {key}"],
  clicked: ["Menu: {key}", "点击菜单 {key}"],
  viewed: ["Opened {key}", "打开链接 {key}"],
  event: ["Event {event}", "事件 {event}"],
  unreachable: ["Cannot connect to the bot", "连不上机器人"],
  waiting: ["Waiting for it…", "正在等待它恢复…"],
  ended: ["The playground has stopped or restarted: open the address that it printed.", "调试台已停止或已重新启动：请打开它打印的新网址。"],
  lost: ["Connection to the playground lost, trying again…", "与调试台的连接已断开，正在重连…"],
  panel: ["Wire", "报文"],
  panelEmpty: ["Select a message to see its request and answer", "选中一条消息，查看收发的报文"],
  panelHint: ["Request, signatures, decrypted content, answer and verdict", "请求、签名、解密内容、应答与判定"],
  gone: ["This entry is no longer stored", "这条报文已不再保留"],
  loading: ["Waiting for the answer…", "等待应答…"],
  request: ["Request", "请求"],
  opened: ["Content", "推送内容"],
  openedSealed: ["Content, decrypted", "推送内容（解密后）"],
  body: ["Body as sent", "请求体（原文）"],
  signatures: ["Signatures", "签名"],
  signatureHow: ["SHA-1 of the sorted, joined values:", "以下各值排序后拼接，取 SHA-1："],
  answer: ["Answer", "应答"],
  noAnswer: ["No answer", "没有应答"],
  bodyEmpty: ["empty", "空"],
  openedReplySealed: ["Reply, decrypted", "回复内容（解密后）"],
  bytes: ["{n} bytes", "{n} 字节"],
  copy: ["Copy", "复制"],
  copied: ["Copied", "已复制"],
  close: ["Close", "关闭"],
  call: ["API call", "接口调用"],
  sent: ["Content", "请求内容"],
};

const stored = localStorage.getItem("language");
export let language = stored || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

export function t(key, values = {}) {
  const text = TEXTS[key][language === "zh" ? 1 : 0];
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export const pick = (text) => (text ? text[language] ?? text.en : "");

export function setLanguage(chosen) {
  language = chosen;
  localStorage.setItem("language", chosen);
  translate();
}

export function translate() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = `${t("title")} · wechat-msg`;
  for (const [attribute, property] of [["t", "textContent"], ["hint", "title"], ["label", "ariaLabel"], ["placeholder", "placeholder"]]) {
    for (const element of document.querySelectorAll(`[data-${attribute}]`)) {
      element[property] = t(element.dataset[attribute]);
      if (attribute === "hint") element.ariaLabel = element.title;
    }
  }
}
