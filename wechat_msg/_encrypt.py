"""Search of the outer document for Encrypt, before its signature is verified, so before any parser may see it."""

from __future__ import annotations

import re
import string

from wechat_msg.errors import MalformedPush

__all__ = ["find_encrypts"]

_MAX_ENCRYPTS = 100
_MAX_ESCAPED = 1 << 16

#: What WeChat writes before and after the text of Encrypt.
_BEFORE = re.compile(rb"<xml>\s*+(?:<ToUserName><!\[CDATA\[[^<>\]]*+\]\]></ToUserName>\s*+)?+<Encrypt><!\[CDATA\[")
_AFTER = re.compile(rb"\]\]></Encrypt>\s*+(?:<AgentID><!\[CDATA\[[0-9]*+\]\]></AgentID>\s*+)?+</xml>\s*+")
_BASE64 = string.ascii_letters.encode() + b"0123456789+/="

_DOCTYPE = re.compile(rb"\s*+(?:<\?[^>]*+>\s*+)?+(?:<!--(?:(?!-->).)*+-->\s*+)*+<!DOCTYPE", re.DOTALL)
_ENCRYPT_START = re.compile(rb"<Encrypt(?:\s[^<>]{0,200}+)?+(?P<empty>/)?>")
_ENCRYPT = re.compile(
    rb"%b\s*+(?:<!\[CDATA\[\s*+)?+([A-Za-z0-9+/=]++)\s*+(?:\]\]>\s*+)?+</Encrypt\s*+>" % _ENCRYPT_START.pattern
)


def find_encrypts(body: bytes) -> list[str]:
    """Find the texts of ``Encrypt`` elements without parsing the document, which may be damaged.

    A text of a user may contain such elements too; only the signature shows which one is WeChat's.

    Returns:
        The last hundred texts that are base64, in order; if there are none, the text of the last element.

    Raises:
        MalformedPush: The document begins with a DOCTYPE, or is cut off.
    """
    if (before := _BEFORE.match(body)) and (end := body.find(b"]", before.end())) > before.end():
        text = body[before.end() : end]
        if _AFTER.fullmatch(body, end) and not text.translate(None, _BASE64):
            return [text.decode("ascii")]
    if _DOCTYPE.match(body):
        raise MalformedPush("the body has a DOCTYPE")
    found = [match[2] for match in _ENCRYPT.finditer(body)]
    if found:
        return [text.decode("ascii") for text in found[-_MAX_ENCRYPTS:]]
    start = _ENCRYPT_START.search(body, body.rfind(b"<Encrypt") if b"<Encrypt" in body else len(body))
    if start is None:
        return []
    end = start.end() if start["empty"] else body.find(b"</Encrypt", start.end())
    if end < 0:
        raise MalformedPush("the body is cut off")
    return [_to_text(body[start.end() : end])]


def _to_text(content: bytes) -> str:
    text = content.replace(b"<![CDATA[", b"").replace(b"]]>", b"").decode("utf-8", "replace")
    if "&" in text and len(text) < _MAX_ESCAPED:
        from html import unescape

        text = unescape(text)
    return text.strip()
