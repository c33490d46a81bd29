"""Everything that can be wrong with an answer: what it is, how to fix it, and whether WeChat tries again."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs
from attrs import field

from wechat_msg._tracebacks import frozen
from wechat_msg.testing.bilingual import Text

__all__ = ["ASKS_AGAIN", "UNREACHABLE", "Problem", "of_status", "of_tls", "of_unreadable"]


@frozen
class Problem:
    """A reason why WeChat rejects an answer.

    Attributes:
        code: Its name, by which problems are compared.
        what: What is wrong.
        fix: What to do.
        is_retried: Whether WeChat sends the push again. If not, it shows the failure to the user at once.
    """

    code: str
    what: Text = field(repr=False, eq=False)
    fix: Text = field(repr=False, eq=False)
    is_retried: bool = field(default=False, repr=False, eq=False)


# --- no answer --------------------------------------------------------------------------------------------------------

UNREACHABLE = Problem(
    "unreachable",
    Text("no connection could be made", "无法建立连接"),
    Text("start the server and check host, port and firewall", "请确认服务已启动，并检查域名、端口与防火墙"),
    is_retried=True,
)
TLS_FAILED = Problem(
    "tls_failed",
    Text("the TLS handshake failed", "TLS 握手失败"),
    Text(
        "the certificate must be for this host, still valid, and sent with its whole chain",
        "证书须与域名一致、在有效期内，并带上完整的证书链",
    ),
    is_retried=True,
)
#: OpenSSL's names for an answer that is not TLS.
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE")


def of_tls(reason: str) -> Problem:
    """Return `TLS_FAILED` with the fix for this reason."""
    fix = Text(
        "the server does not use TLS on this port: write http://, or give the https port",
        "该端口没有启用 TLS：请改用 http://，或填写 https 的端口",
    )
    return attrs.evolve(TLS_FAILED, fix=fix) if reason in _NO_TLS else TLS_FAILED


TIMED_OUT = Problem(
    "timed_out",
    Text("no complete answer came in time; WeChat hangs up", "未在时限内收到完整应答，微信断开连接"),
    Text(
        "answer within 5 seconds: use a PushEndpoint with a store for slow handlers",
        "请在 5 秒内应答：慢处理交给带 store 的 PushEndpoint",
    ),
    is_retried=True,
)
HUNG_UP = Problem(
    "hung_up",
    Text("the connection was closed before the answer was complete", "应答未完整就断开了连接"),
    Text(
        "check the server's log, as it may have crashed; or write https:// if the port uses TLS",
        "请查看服务日志，进程可能已崩溃；如果该端口启用了 TLS，请改用 https://",
    ),
    is_retried=True,
)
NOT_HTTP = Problem(
    "not_http",
    Text("the answer is not HTTP", "应答不是 HTTP"),
    Text("check the port, and whether it is http or https", "请检查端口，以及是 http 还是 https"),
    is_retried=True,
)

# --- no answer to a push ----------------------------------------------------------------------------------------------

REDIRECTED = Problem(
    "redirected",
    Text("the answer is a redirect, which WeChat does not follow", "应答是重定向，微信不会跟随"),
    Text(
        "enter the address of the redirect: check http or https and the slash at its end; it must not require a login",
        "请填写重定向后的最终网址：注意 http/https 与末尾斜杠；该地址不能要求登录",
    ),
    is_retried=True,
)
WRONG_STATUS = Problem(
    "wrong_status",
    Text("the status is not 200", "状态码不是 200"),
    Text("check the server's log", "请查看服务日志"),
    is_retried=True,
)
_PROXY = Text(
    "a proxy answers, but not the server behind it: start the server, and check its address in the proxy's settings",
    "应答来自代理，它后面的服务没有应答：请启动服务，并检查代理中配置的后端地址",
)
_OTHER_VIEW = Text(
    "this path is not a push endpoint: check the path, and that its route passes on GET and POST unchanged",
    "该路径不是消息推送接口：请检查路径，并确认路由把 GET 与 POST 原样交给它",
)
#: Fixes for the statuses that show more than a failure.
_FIXES: Mapping[int, Text] = {
    400: Text(
        "the server could not read the request: check its log, http or https, and the path",
        "服务无法读取请求：请查看服务日志，并检查 http/https 与路径",
    ),
    401: Text("allow WeChat's requests without a login", "该地址不能要求登录，请放行微信的请求"),
    403: Text(
        "either the bot rejects signature or ciphertext: check Token, EncodingAESKey, AppID and mode on both sides;"
        " or CSRF protection, a firewall or a login rejects the request",
        "可能是机器人拒绝了签名或密文：请核对两端的 Token、EncodingAESKey、AppID 与加解密方式；"
        "也可能是被 CSRF 校验、防火墙或登录拦截",
    ),
    404: Text(
        "either the path does not exist: check it, the slash at its end, and the prefix that a proxy adds;"
        " or another server listens on this host and port",
        "可能是路径不存在：请检查路径、末尾斜杠与代理添加的前缀；也可能是该主机与端口上运行的是别的服务",
    ),
    405: Text(
        "check the path of the address, and accept GET and POST there",
        "请检查网址中的路径，并确认它同时接受 GET 和 POST",
    ),
    415: _OTHER_VIEW,
    422: _OTHER_VIEW,
    429: Text("do not apply a rate limit to WeChat's requests", "请不要对微信的请求限流"),
    501: _OTHER_VIEW,
    502: _PROXY,
    503: Text(
        "the server is overloaded or stopped: check its log, and the log of a proxy in front of it",
        "服务过载或已停止：请查看服务日志，以及它前面的代理的日志",
    ),
    504: _PROXY,
}


def of_status(status: int) -> Problem:
    """Return `WRONG_STATUS` with the fix for this status."""
    return attrs.evolve(WRONG_STATUS, fix=_FIXES.get(status, WRONG_STATUS.fix))


TOO_LONG = Problem(
    "too_long",
    Text("the answer is longer than any reply", "应答过长，不可能是回复"),
    Text("answer with a reply, success, or nothing", "请回复消息、success 或空串"),
)
UNREADABLE = Problem(
    "unreadable",
    Text(
        "the answer is neither success, nor empty, nor well-formed XML or JSON",
        "应答既不是 success 或空串，也不是合法的 XML 或 JSON",
    ),
    Text(
        "create replies with a library that escapes ]]> and control characters", "请用会转义 ]]> 与控制字符的库生成回复"
    ),
)
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE)


def of_unreadable(body: bytes) -> Problem:
    """Return `UNREADABLE` with the fix for this answer."""
    fix = Text(
        "this is a web page: check the path, and whether a login page or a proxy answers",
        "返回的是网页：请检查网址中的路径，以及是否由登录页或代理应答",
    )
    return attrs.evolve(UNREADABLE, fix=fix) if _PAGE.match(body) else UNREADABLE


WRONG_FORMAT = Problem(
    "wrong_format",
    Text("the answer is JSON but the push was XML, or the reverse", "应答与推送的数据格式（XML/JSON）不一致"),
    Text("answer in the format of the push", "请按推送的数据格式应答"),
)

# --- a wrong seal ---------------------------------------------------------------------------------------------

UNSEALED = Problem(
    "unsealed",
    Text("the reply to a sealed push is not sealed", "安全模式下回复没有加密"),
    Text("seal replies in the safe mode", "安全模式下必须加密回复"),
)
SEALED = Problem(
    "sealed",
    Text("the reply to a plain push is sealed", "明文模式下回复被加密了"),
    Text("the server's mode and the console's must be the same", "请核对两端的消息加解密方式"),
)
WRONG_SEAL = Problem(
    "wrong_seal",
    Text("the reply is not encrypted or signed correctly", "回复的加密信封有误"),
    Text(
        "check Token, EncodingAESKey and AppID; the fields are Encrypt, MsgSignature, TimeStamp and Nonce",
        "请核对 Token、EncodingAESKey、AppID；字段名为 Encrypt、MsgSignature、TimeStamp、Nonce",
    ),
)

# --- a wrong reply --------------------------------------------------------------------------------------------

REPEATED = Problem(
    "repeated",
    Text("an element occurs twice: text has become markup", "元素重复：文本内容变成了标签"),
    Text("escape ]]> in CDATA, because users can write it", "请转义 CDATA 中的 ]]>：内容由用户决定"),
)
UNKNOWN_MEMBER = Problem(
    "unknown_member",
    Text("the reply has an unknown element", "存在回复中没有的元素"),
    Text("check spelling and case, and escape ]]> in CDATA", "请检查字段拼写与大小写，并转义 CDATA 中的 ]]>"),
)
INCOMPLETE = Problem(
    "incomplete",
    Text("a required field of the reply is missing", "回复缺少必需字段"),
    Text(
        "a reply needs ToUserName, FromUserName, CreateTime, MsgType and its content",
        "回复须有 ToUserName、FromUserName、CreateTime、MsgType 和内容",
    ),
)
TEXT_TOO_LONG = Problem(
    "text_too_long",
    Text("the text is longer than 2,047 bytes of UTF-8", "文本超过 2047 字节（UTF-8）"),
    Text(
        "split the text: send the rest as customer-service messages, or as answers to the user's next messages; a "
        "Chinese character takes 3 bytes",
        "请拆分文本：其余部分用客服消息发送，或在用户再次发消息时回复；一个汉字占 3 字节",
    ),
)
WRONG_ADDRESSEE = Problem(
    "wrong_addressee",
    Text("ToUserName and FromUserName are not those of the push, swapped", "ToUserName、FromUserName 没有与推送对调"),
    Text("swap ToUserName and FromUserName of the push", "回复时请对调推送中的 ToUserName 与 FromUserName"),
)
WRONG_TYPE = Problem(
    "wrong_type",
    Text("MsgType is not a type that a reply can have", "MsgType 不是可以回复的类型"),
    Text(
        "a reply is text, image, voice, video, music or news, or transfers the conversation",
        "可回复 text、image、voice、video、music、news 或转发",
    ),
)
NOT_FOR_ACCOUNT = Problem(
    "not_for_account",
    Text("a Mini Program can only acknowledge, not reply", "小程序不支持被动回复消息"),
    Text("answer success and send a customer-service message", "请回复 success，再用客服消息接口发送"),
)
ARTICLES = Problem(
    "articles",
    Text("the number of articles is wrong", "图文条数不符"),
    Text(
        "ArticleCount is the number of items: one as a reply to a message, up to eight to an event",
        "ArticleCount 须等于实际条数：回复消息限 1 条，回复事件最多 8 条",
    ),
)
NO_DOCUMENT = Problem(
    "no_document",
    Text(
        "this event is answered with a document of its own, or a member of it is missing",
        "该事件须以专用的数据应答，或应答缺少字段",
    ),
    Text(
        "answer with ResultReply, ErrCodeReply, ChapterPermissionReply or IosRefundReply, with all of their members",
        "请用 ResultReply、ErrCodeReply、ChapterPermissionReply 或 IosRefundReply 应答，并给出全部字段",
    ),
)
ASKS_AGAIN = Problem(
    "asks_again",
    Text("ErrCode is not 0, so WeChat sends the push again", "ErrCode 不为 0，微信会再次推送"),
    Text("answer ErrCode 0 when the event has been processed", "处理完成后请返回 ErrCode 0"),
    is_retried=True,
)
NOT_SUCCESS = Problem(
    "not_success",
    Text(
        "the answer to CheckContainerPath is neither success nor empty",
        "对 CheckContainerPath 的应答既不是 success 也不是空串",
    ),
    Text(
        "answer success before messages are parsed: the check has no MsgType",
        "请在解析消息之前返回 success：该请求没有 MsgType",
    ),
)
NOT_ECHOED = Problem(
    "not_echoed",
    Text("the answer is not exactly echostr", "应答不是 echostr 原文"),
    Text("answer with echostr alone: no quotes, no line break, no BOM", "请只返回 echostr：不要引号、换行、BOM"),
)
