"""The documents of the test kit: it writes pushes as WeChat does, and reads the answers of bots strictly."""

from __future__ import annotations

import ast
import gzip
import itertools
import json
import re
from pathlib import Path

import pytest

from tests.helpers.first_principles import APPID, KEY, TOKEN
from tests.helpers.rows import check_rows
from wechat_msg import MalformedPush, PushError, PushSettings, ReplyError, open_push, wire
from wechat_msg.testing import build_push, documents, open_reply
from wechat_msg.testing.documents import MAX_DOCUMENT_BYTES, read_document, write_document

PLAIN = PushSettings(token=TOKEN)
SEALED = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
MODES = ["plain", "compatible", "sealed"]
FORMATS = ["xml", "json"]

#: Texts of users, and the texts that arrive; None if it is the same.
TEXTS = {
    "a]]>b": "a]]>b",
    "]]>": "]]>",
    "]]]]>>": "]]]]>>",
    "<![CDATA[a]]>": "<![CDATA[a]]>",
    "<xml></xml>": "<xml></xml>",
    "]]></Content></xml>": "]]></Content></xml>",
    "]]></Content><FromUserName><![CDATA[oOTHER]]></FromUserName><Content><![CDATA[": None,
    "]]></Content><Encrypt><![CDATA[AAAA]]></Encrypt><Content><![CDATA[": None,
    " &amp;&lt; ": " &amp;&lt; ",
    "你好 👋": "你好 👋",
}


def opened(settings, request, mode):
    """Return the document of a push."""
    return request.body if mode == "plain" else settings.ciphers[0].decrypt(wire.read_encrypt(request.body))


class TestAPush:
    def test_holds_a_text_as_its_user_wrote_it(self):
        def check(text, mode):
            fields = {"ToUserName": "gh_1", "FromUserName": "oUSER", "CreateTime": 1, "Content": text, "MsgId": 2}
            request = build_push(SEALED, fields, mode=mode)
            written = b"<Content><![CDATA[" + text.encode("utf-8", "surrogatepass") + b"]]></Content>"
            if mode != "plain":
                assert written in SEALED.ciphers[0].decrypt(find_encrypt(request.body))
            assert (written in request.body) == (mode != "sealed")

        check_rows(
            itertools.product([*TEXTS, "a\x08b", "\0", "\x1b[2J", "\ufffe\uffff", "half \ud83d", "\ude00"], MODES),
            check,
        )

    def test_reaches_an_endpoint_letter_for_letter(self):
        def check(text, expected, form, mode):
            settings = PLAIN if mode == "plain" else SEALED
            message = open_push(settings, build_push(settings, {"Content": text}, mode=mode, format=form)).message
            assert message.content == (expected or text)
            assert message.from_user_name == "oABCDEFGHIJKLMNOPQRSTUVWXYZ0"

        check_rows(
            [(text, expected, form, mode) for text, expected in TEXTS.items() for form in FORMATS for mode in MODES],
            check,
        )

    def test_reaches_an_endpoint_with_characters_that_xml_forbids(self):
        def check(text, form, mode):
            settings = PLAIN if mode == "plain" else SEALED
            content = open_push(
                settings, build_push(settings, {"Content": text}, mode=mode, format=form)
            ).message.content
            assert (content[0], content[-1]) == ("a", "b")
            content.encode()

        check_rows(itertools.product(["a\x08b", "a\0b", "a\ufffeb", "a\ud83db"], FORMATS, MODES), check)

    def test_has_bare_numbers_nested_members_and_repeated_elements(self):
        fields = {"A": 1, "B": 1.5, "C": True, "D": {"E": ["x", 2, {"F": "y"}], "G": None}, "H": None, "I": "", "J": {}}
        assert write_document(fields, "xml") == (
            b"<xml><A>1</A><B>1.5</B><C>true</C><D><E><![CDATA[x]]></E><E>2</E><E><F><![CDATA[y]]></F></E></D>"
            b"<I><![CDATA[]]></I><J></J></xml>"
        )
        expected = {"A": 1, "B": 1.5, "C": True, "D": {"E": ["x", 2, {"F": "y"}]}, "I": "", "J": {}}
        assert json.loads(write_document(fields, "json")) == expected

    def test_with_invalid_fields_is_refused(self):
        def check(fields, form):
            with pytest.raises(ReplyError) as caught:
                write_document(fields, form)
            assert caught.value.__cause__ is None

        check_rows(
            itertools.product(
                [
                    *(
                        {"a b": "c"},
                        {5: "c"},
                        {"A": {"<": 1}},
                        {"A": [{"\n": 1}]},
                        {"A": b"x"},
                        {"A": {1, 2}},
                        {"A": object()},
                    ),
                    *({"A": float("nan")}, {"A": float("inf")}, {"A": 10**5000}),
                ],
                FORMATS,
            ),
            check,
        )

    def test_that_contains_itself_is_refused(self):
        def check(form):
            fields = {}
            fields["A"] = fields
            with pytest.raises(ReplyError):
                write_document(fields, form)

        check_rows(["xml", "json"], check)


def find_encrypt(body):
    """Find Encrypt without a parser, because the text before it may contain another one."""
    return re.findall(rb"<Encrypt><!\[CDATA\[(.*?)\]\]>", body)[-1].decode()


ANSWERS = {
    "text": b"<xml><MsgType><![CDATA[text]]></MsgType><Content> a\n\tb </Content></xml>",
    "split": b"<xml><Content><![CDATA[a]]]]><![CDATA[>b]]></Content></xml>",
    "numbers": b"<xml><CreateTime>1700000000</CreateTime></xml>",
    "empty elements": b"<xml><A></A><B/><C><![CDATA[]]></C></xml>",
    "nested": b"<xml>\n  <Image>\n    <MediaId>M</MediaId>\n  </Image>\n</xml>\n",
    "list": b"<xml><Articles><item><T>1</T></item> <item><T>2</T></item></Articles></xml>",
    "repeated": b"<xml><A>1</A><A>2</A><A/></xml>",
    "attributes": b'<xml a="1"><A b="2">x</A><B c="3"><D e="4"/></B></xml>',
    "declaration": b'<?xml version="1.0" encoding="utf-8"?><xml><A>\xe4\xbd\xa0</A></xml>',
    "another encoding declared": b'<?xml version="1.0" encoding="gbk"?><xml><A>\xe4\xbd\xa0</A></xml>',
    "an encoding that nobody knows": b'<?xml version="1.0" encoding="x-none"?><xml><A>\xe4\xbd\xa0</A></xml>',
    "byte order mark": b"\xef\xbb\xbf<xml><A>x</A></xml>",
    "comments": b"<xml><!-- c --><A>x<!-- c -->y</A></xml>",
    "mixed": b"<xml>words<A>x</A>words<B>w<C>y</C>w</B></xml>",
    "white space": b"<xml><A> </A><B>\n</B></xml>",
    "names with a colon": b"<a:xml><a:B>x</a:B></a:xml>",
    "depth": b"<xml>" + b"<a>" * 32 + b"</a>" * 32 + b"</xml>",
    "json": b'{"A": [1, {"B": null}], "C": "\\ud83d\\udc4b", "#text": "x"}',
}


class TestAnAnswer:
    def test_that_is_in_order_is_read_as_the_package_reads(self):
        def check(body):
            assert read_document(body) == wire.parse_body(body)

        check_rows(ANSWERS, check)

    def test_that_is_not_is_refused(self):
        def check(body):
            with pytest.raises(MalformedPush) as caught:
                read_document(body)
            assert caught.value.__cause__ is None
            with pytest.raises(MalformedPush):
                open_reply(PLAIN, body if body not in (b"", b"success") else b" ")

        check_rows(
            [
                *(b"", b" ", b"success", b"<xml>", b"<xml/>", b"<xml></xml>", b"<xml>text</xml>", b"<xml> </xml>"),
                *(
                    b"<xml><A>x</B></xml>",
                    b"<xml><A>x</A></xml><xml/>",
                    b"<xml><A>x</A></xml>words",
                    b"<html><br></html>",
                ),
                *(b"<xml><A><![CDATA[a]]>b]]></A></xml>", b"<xml><A>&nbsp;</A></xml>", b"<xml><A>&#0;</A></xml>"),
                *(b"<xml><A>a\x08b</A></xml>", b"<xml><A>\xff</A></xml>", b"<xml><A>\xed\xa0\xbd</A></xml>"),
                *(
                    b"<xml><A>\xef\xbf\xbe</A></xml>",
                    b"\n<?xml version='1.0'?><xml><A>x</A></xml>",
                    b"<xml><A>x\0</A></xml>",
                ),
                *(b"<!DOCTYPE xml><xml><A>x</A></xml>", b'<!DOCTYPE xml [<!ENTITY e "x">]><xml><A>&e;</A></xml>'),
                *("<xml><A>x</A></xml>".encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-32")),
                '<?xml version="1.0" encoding="gbk"?><xml><A>你</A></xml>'.encode("gbk"),
                b"<xml>" + b"<a>" * 33 + b"</a>" * 33 + b"</xml>",
                b"<xml>" + b"<a>" * 20_000 + b"</a>" * 20_000 + b"</xml>",
                *(
                    b"[]",
                    b"null",
                    b"{",
                    b'{"A": 1}}',
                    b'{"A": 1, "A": 2}',
                    b'{"A": NaN}',
                    b'{"A": 1e999}',
                    b"\xef\xbb\xbf{}1",
                ),
                *(
                    b'{"A": "a\nb"}',
                    b'{"A": "a\x08b"}',
                    b'{"A": "\xff"}',
                    b'{"A": "\\ud83d"}',
                    b'{"\\ud83d": 1}',
                    b"{'A': 1}",
                ),
                *(
                    b'{"A": ' + b"9" * 5000 + b"}",
                    b'{"A":' * 34 + b"1" + b"}" * 34,
                    b'{"A":' * 20_000,
                    b"{" + b"[" * 20_000,
                ),
                gzip.compress(b"<xml><A>x</A></xml>", mtime=0),
                b"<xml><A>" + b"x" * MAX_DOCUMENT_BYTES + b"</A></xml>",
            ],
            check,
        )

    def test_whose_envelope_is_odd_is_refused(self):
        def check(name, value):
            envelope = {"Encrypt": '"x"', "MsgSignature": '"x"', "TimeStamp": "1", "Nonce": '"x"', name: value}
            body = "{" + ", ".join(f'"{key}": {member}' for key, member in envelope.items()) + "}"
            with pytest.raises(PushError):
                open_reply(SEALED, body.encode())

        check_rows(
            itertools.product(["Encrypt", "MsgSignature", "TimeStamp", "Nonce"], ["1", "[1]", "{}", "null", '"x"']),
            check,
        )

    def test_is_not_read_or_written_by_the_code_under_test(self):
        """Otherwise a bot of this package would pass with errors that both have."""
        for path in Path(documents.__file__).parent.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.ImportFrom) and node.module == "wechat_msg.wire":
                    assert not {"parse_body", "render_body"} & {alias.name for alias in node.names}, path
