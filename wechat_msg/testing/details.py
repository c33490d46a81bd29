"""Errors and details in both languages."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping

from wechat_msg.errors import APIError, ClientError, SettingsError, TransportError, WeChatError
from wechat_msg.testing.bilingual import Text, label, same

__all__ = ["annotate", "explain_detail", "explain_error", "explain_os_error"]

_ERRNOS: Mapping[int, str] = {
    errno.EACCES: "没有权限",
    errno.EADDRINUSE: "地址已被占用",
    errno.EADDRNOTAVAIL: "本机没有这个地址",
    errno.EBADF: "未打开",
    errno.ECONNABORTED: "连接被中止",
    errno.ECONNREFUSED: "连接被拒绝",
    errno.ECONNRESET: "连接被重置",
    errno.EHOSTUNREACH: "无法到达主机",
    errno.EISDIR: "是目录，不是文件",
    errno.EMFILE: "打开的文件过多",
    errno.ENETUNREACH: "网络不可达",
    errno.ENOENT: "文件不存在",
    errno.ENOSPC: "磁盘空间不足",
    errno.ENOTDIR: "路径中有一段不是目录",
    errno.EPERM: "操作不被允许",
    errno.ETIMEDOUT: "连接超时",
}
_CHINESE: Mapping[str, str] = {
    **{os.strerror(number): chinese for number, chinese in _ERRNOS.items()},
    "Name or service not known": "找不到这个主机名",
    "No address associated with hostname": "找不到这个主机名",
    "Temporary failure in name resolution": "暂时无法解析主机名",
    "nodename nor servname provided, or not known": "找不到这个主机名",
    "TimeoutError": "超时",
    "UnicodeError": "主机名无效",
    "timed out": "超时",
    "the host name is invalid": "主机名无效",
    "the proxy refused the connection": "代理拒绝了连接",
    "the answer ends before its body": "应答不完整",
    "the connection was closed": "连接被关闭",
    "the connection was closed, or the answer is not HTTP": "连接被关闭，或应答不是 HTTP",
    "the application could not start": "应用无法启动",
    "control characters": "含有控制字符",
    "no key to decrypt it with": "没有可用于解密的密钥",
    "in the TLS handshake": "TLS 握手时",
    "while the request was being sent": "请求尚未发完",
    "within the headers": "响应头未完整",
    "self-signed certificate": "自签名证书",
    "certificate has expired": "证书已过期",
    "unable to get local issuer certificate": "缺少中间证书，或签发机构不受信任",
}
#: The form of error texts with Chinese.
_WITH_CHINESE = re.compile(r"(.*?)（(.*)）", re.DOTALL)
#: The form of hints in English and Chinese; Chinese may begin with a name.
_BOTH = re.compile(r"([^\u4e00-\u9fff]*\.) (.*)", re.DOTALL)
_NUMBERS = (
    (re.compile(r"more than ([0-9]+) bytes"), r"超过 \1 字节"),
    (re.compile(r"([0-9]+) bytes are missing"), r"缺少 \1 字节"),
    (re.compile(r"([0-9]+) bytes"), r"\1 字节"),
)


def explain_detail(detail: str) -> Text:
    """Return a detail in both languages; unknown ones, such as names and numbers, stay unchanged.

    Example:
        >>> explain_detail("18 bytes").to("zh")
        '18 字节'
        >>> explain_detail("HTTP 404").to("zh")
        'HTTP 404'
    """
    for form, chinese in _NUMBERS:
        if found := form.fullmatch(detail):
            return Text(detail, found.expand(chinese))
    return Text(detail, _CHINESE.get(detail, detail))


def annotate(text: Text, detail: str) -> Text:
    """Append a detail in brackets.

    Example:
        >>> annotate(Text("no connection", "无法连接"), "Connection refused").to("zh")
        '无法连接 [连接被拒绝]'
    """
    note = explain_detail(detail)
    return Text(f"{text.en} [{note.en}]", f"{text.zh} [{note.zh}]") if detail else text


def explain_error(error: WeChatError) -> Text:
    """Return the message of an error in both languages; in English if it has no Chinese.

    WeChat's own text and the names in a message are the same in both.

    Example:
        >>> explain_error(SettingsError("a whole number", hint="应为整数", setting="WECHAT_MAX_AGE")).to("zh")
        'WECHAT_MAX_AGE：应为整数'
    """
    if isinstance(error, APIError):
        return _explain_refusal(error)
    setting = error.setting if isinstance(error, SettingsError) else ""
    message = str(error).removeprefix(f"{setting}: ")
    found = _WITH_CHINESE.fullmatch(message)
    text = Text(found[1], found[2]) if found else same(message)
    if found and isinstance(error, ClientError):
        text = _add_reason(text, always=isinstance(error, TransportError))
    return label(same(setting), text) if setting else text


def _explain_refusal(error: APIError) -> Text:
    refusal = str(error).removesuffix(f"（{error.hint}）")
    found = _BOTH.fullmatch(error.hint)
    hint = Text(found[1], found[2]) if found else same(error.hint)
    return Text(f"{refusal} ({hint.en})", f"{refusal}（{hint.zh}）") if error.hint else same(refusal)


def _add_reason(text: Text, *, always: bool) -> Text:
    """Append the reason, with which the English ends, to the Chinese; if it is a known one, or *always*."""
    _, colon, reason = text.en.rpartition(": ")
    return Text(text.en, annotate(text, reason).zh) if colon and (always or reason in _CHINESE) else text


def explain_os_error(error: Exception) -> Text:
    """Return the reason of an operating system error in both languages."""
    return explain_detail(getattr(error, "strerror", None) or type(error).__name__)
