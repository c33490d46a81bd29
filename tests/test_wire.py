"""Documents to plain mappings and back."""

from __future__ import annotations

import json
import string
from enum import IntEnum
from types import MappingProxyType
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.cpu_time import measure
from tests.helpers.rows import each_row
from wechat_msg import MalformedPush, ReplyError
from wechat_msg.wire import clean_text, detect_format, parse_body, read_encrypt, render_body

BOM = b"\xef\xbb\xbf"
CONTROL_CHARACTERS = bytes(set(range(0x20)) - set(b"\t\n\r"))

# Values that are read back unchanged. XML reads a carriage return as a line feed, and has no numbers.
NAMES = st.text(string.ascii_letters + "_", min_size=1, max_size=12)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"))
NESTED_TEXTS = TEXTS.map(str.strip)  # only the root's own children keep their white space
NESTED = st.dictionaries(NAMES, NESTED_TEXTS, min_size=1, max_size=3)
DOCUMENTS = st.dictionaries(
    NAMES,
    TEXTS | NESTED | st.lists(TEXTS, min_size=2, max_size=3) | st.lists(NESTED, min_size=2, max_size=3),
    min_size=1,
    max_size=6,
)


class TestDetectFormat:
    @each_row(
        "body",
        [
            b"",
            b"   ",
            b"success",
            b"\x00<xml>",
            "＜xml＞".encode(),
            BOM,
            *map("<xml/>".encode, ("utf-16", "utf-16-le")),
        ],
    )
    def test_refuses_what_is_neither(self, body):
        with pytest.raises(MalformedPush):
            detect_format(body)

    @pytest.mark.parametrize("body", [b"<xml/>", b" \r\n\t<xml/>", BOM + b"<xml/>", b"<?xml version='1.0'?><xml/>"])
    def test_recognises_xml_by_the_first_character(self, body):
        assert detect_format(body) == "xml"

    @pytest.mark.parametrize("body", [b"{}", b"\n {}", BOM + b"{}", b"[]"])
    def test_recognises_json_by_the_first_character(self, body):
        assert detect_format(body) == "json"


class TestParseXmlRefuses:
    @each_row(
        "body",
        {
            "plain": b"<!DOCTYPE xml><xml><A>1</A></xml>",
            "external": b'<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/x.dtd"><xml><A>1</A></xml>',
            "entity": b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><A>&a;</A></xml>',
            "file": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><A>&a;</A></xml>',
            "declared": b'\n<?xml version="1.0"?>\n<!DOCTYPE x>\n<xml><A>1</A></xml>'.lstrip(),
        },
    )
    @each_row("read", [parse_body, read_encrypt])
    def test_a_doctype(self, read, body):
        with pytest.raises(MalformedPush, match="DOCTYPE"):
            read(body)

    def test_a_billion_laughs_before_they_expand(self):
        entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
        bomb = f'<!DOCTYPE xml [<!ENTITY l0 "ha">{entities}]><xml><A>&l9;</A></xml>'

        def read():
            with pytest.raises(MalformedPush):
                parse_body(bomb.encode())

        assert measure(read) < 1

    @each_row(
        "body",
        {
            "not closed": b"<xml>",
            "closed crosswise": b"<xml><A></xml></A>",
            "two roots": b"<xml><A>1</A></xml><xml/>",
            "text behind": b"<xml><A>1</A></xml>tail",
            "undefined entity": b"<xml><A>&undefined;</A></xml>",
            "control character as a reference": b"<xml><A>&#1;</A></xml>",
            "end of CDATA in text": b"<xml><A>a]]>b</A></xml>",
            "utf-16": "<xml><A>1</A></xml>".encode("utf-16"),
        },
    )
    def test_what_is_not_well_formed_utf_8(self, body):
        with pytest.raises(MalformedPush):
            parse_body(body)

    @pytest.mark.parametrize("body", [b"<xml/>", b"<xml></xml>", b"<xml>text only</xml>"])
    def test_a_document_without_elements(self, body):
        with pytest.raises(MalformedPush, match="no elements"):
            parse_body(body)

    @each_row("depth", [40, 2_000, 100_000])
    @each_row("opening", [b"<A>", b"<A/><A>"])
    def test_a_document_nested_too_deep(self, depth, opening):
        with pytest.raises(MalformedPush, match="too deep"):
            parse_body(b"<xml>" + opening * depth + b"</A>" * depth + b"</xml>")

    def test_without_showing_the_body(self):
        with pytest.raises(MalformedPush) as refusal:
            parse_body(b"<xml><A>a secret</B></xml>")
        assert "secret" not in str(refusal.value)
        assert refusal.value.__suppress_context__


class TestParseXml:
    def test_keeps_the_white_space_of_text(self):
        assert parse_body(b"<xml><Content> two \n words\t</Content></xml>") == {"Content": " two \n words\t"}

    def test_keeps_the_white_space_of_cdata(self):
        assert parse_body(b"<xml><Content><![CDATA[\n ]]></Content></xml>") == {"Content": "\n "}

    def test_joins_split_cdata_and_text(self):
        body = b"<xml><A>1<![CDATA[<2>]]><![CDATA[&3;]]>4&amp;5&#x4f60;</A></xml>"
        assert parse_body(body) == {"A": "1<2>&3;4&5你"}

    @pytest.mark.parametrize("element", ["<A/>", "<A></A>", "<A><![CDATA[]]></A>", '<A b="c"/>'])
    def test_reads_an_empty_element_as_empty_text(self, element):
        assert parse_body(f"<xml>{element}<B><C/></B></xml>".encode()) == {"A": "", "B": {"C": ""}}

    def test_leaves_empty_elements_in_a_list_in_their_places(self):
        assert parse_body(b"<xml><A/><A>1</A><A></A></xml>") == {"A": ["", "1", ""]}

    def test_reads_repeated_elements_as_a_list(self):
        body = b"<xml><A>1</A><B>x</B><A>2</A><A>3</A></xml>"
        assert parse_body(body) == {"A": ["1", "2", "3"], "B": "x"}

    def test_reads_repeated_elements_further_down_as_a_list(self):
        body = b"<xml><P><I><N>1</N></I><I><N>2</N></I></P></xml>"
        assert parse_body(body) == {"P": {"I": [{"N": "1"}, {"N": "2"}]}}

    def test_leaves_empty_elements_further_down_in_their_places(self):
        body = b"<xml><P><I/><I>1</I><I><N/><N>2</N></I></P></xml>"
        assert parse_body(body) == {"P": {"I": ["", "1", {"N": ["", "2"]}]}}

    def test_keeps_the_white_space_of_text_further_down_but_not_the_indentation(self):
        body = "<xml>\n <P>\n  <N><![CDATA[\u3000a\n]]></N>\n  <M> </M>\n </P>\n</xml>".encode()
        assert parse_body(body) == {"P": {"N": "\u3000a\n", "M": " "}}

    def test_leaves_attributes_comments_and_instructions_out(self):
        body = b'<xml v="1"><!-- c --><A b="c">1</A><?go now?></xml>'
        assert parse_body(body) == {"A": "1"}

    def test_distinguishes_names_by_case(self):
        assert parse_body(b"<xml><AppId>1</AppId><appid>2</appid></xml>") == {"AppId": "1", "appid": "2"}

    def test_accepts_any_root_element(self):
        assert parse_body(b"<root><A>1</A></root>") == {"A": "1"}

    @pytest.mark.parametrize("encoding", ["GBK", "ISO-8859-1", "utf-16", "no-such-encoding"])
    def test_reads_utf_8_whatever_the_document_declares(self, encoding):
        body = f'<?xml version="1.0" encoding="{encoding}"?><xml><A>你好😀</A></xml>'
        assert parse_body(body.encode()) == {"A": "你好😀"}

    def test_accepts_a_bom_and_blanks_around(self):
        assert parse_body(BOM + b"\r\n <xml><A>1</A></xml> \n") == {"A": "1"}

    def test_cuts_raw_control_characters(self):
        assert parse_body(b"<xml><A>1" + CONTROL_CHARACTERS + b"2\t3\n4</A></xml>") == {"A": "12\t3\n4"}

    def test_accepts_a_greater_depth_than_real_pushes_have(self):
        parsed = parse_body(b"<xml>" + b"<A>" * 30 + b"1" + b"</A>" * 30 + b"</xml>")
        for _ in range(30):
            parsed = parsed["A"]
        assert parsed == "1"


class TestParseJsonRefuses:
    @each_row(
        "body",
        {
            "not closed": b"{",
            "two roots": b'{"A": 1} {}',
            "single quotes": b"{'A': 1}",
            "trailing comma": b'{"A": 1,}',
            "a number too long to read": b'{"A": ' + b"1" * 5_000 + b"}",
        },
    )
    def test_what_is_not_well_formed_utf_8(self, body):
        with pytest.raises(MalformedPush, match=r"not (UTF-8|well-formed JSON)|too many digits"):
            parse_body(body)

    @pytest.mark.parametrize("body", [b"[]", b'[{"A": 1}]'])
    def test_a_root_that_is_not_an_object(self, body):
        with pytest.raises(MalformedPush, match="not an object"):
            parse_body(body)

    @pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
    def test_numbers_that_are_not_json(self, constant):
        with pytest.raises(MalformedPush, match="not JSON"):
            parse_body(b'{"A": ' + constant + b"}")

    @pytest.mark.parametrize("body", [b'{"A": 1, "A": 2}', b'{"P": {"A": 1, "\\u0041": 2}}'])
    def test_a_member_given_twice(self, body):
        with pytest.raises(MalformedPush, match="twice"):
            parse_body(body)

    @each_row("depth", [40, 900, 100_000])
    @each_row(("opening", "closing"), [(b'{"A":', b"}"), (b"[", b"]")])
    def test_a_document_nested_too_deep(self, depth, opening, closing):
        with pytest.raises(MalformedPush):
            parse_body(b'{"A":' + opening * depth + b"1" + closing * depth + b"}")


class TestParseJson:
    def test_keeps_the_types_of_values(self):
        body = b'{"T": " a ", "I": 24123456789012345, "F": 1.5, "B": true, "N": null, "L": [1, {"A": []}], "O": {}}'
        assert parse_body(body) == {
            "T": " a ",
            "I": 24123456789012345,
            "F": 1.5,
            "B": True,
            "N": None,
            "L": [1, {"A": []}],
            "O": {},
        }

    def test_accepts_a_bom_and_blanks_around(self):
        assert parse_body(BOM + b'\r\n {"A": 1} \n') == {"A": 1}

    def test_cuts_raw_control_characters(self):
        assert parse_body(b'{"A": "1' + CONTROL_CHARACTERS + b'2\t3\n4"}') == {"A": "12\t3\n4"}

    def test_reads_escaped_text(self):
        assert parse_body(rb'{"A": "\u4f60\ud83d\ude00\n\"\\"}') == {"A": '你😀\n"\\'}

    @pytest.mark.parametrize("half", [rb"\ud83d", rb"\uDE00", rb"\uD83D\uD83D"])
    def test_replaces_half_a_surrogate_pair_so_that_the_text_can_be_encoded(self, half):
        text = parse_body(b'{"A": "a' + half + b'b"}')["A"]
        assert text.encode() == text.encode("utf-8", "strict")
        assert set(text) == {"a", "\ufffd", "b"}

    def test_keeps_whole_surrogate_pairs_next_to_a_half_one(self):
        assert parse_body(rb'{"A": "\ud83d\ude00\ud83d", "B": "\\ud83d"}') == {"A": "😀\ufffd", "B": "\\ud83d"}

    def test_accepts_a_greater_depth_than_real_pushes_have(self):
        parsed = parse_body(b'{"A":' * 30 + b"[" + b"1" + b"]" + b"}" * 30)
        for _ in range(30):
            parsed = parsed["A"]
        assert parsed == [1]

    def test_accepts_many_members_side_by_side(self):
        fields = {"List": [{"A": [n]} for n in range(100)]}
        assert parse_body(json.dumps(fields).encode()) == fields


class TestReadEncrypt:
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b'{"Encrypt": "a", "Encrypt": "a"}', id="json"),
        ],
    )
    def test_refuses_two(self, body):
        with pytest.raises(MalformedPush, match="twice"):
            read_encrypt(body)

    @pytest.mark.parametrize("value", [b"1", b"[]", b'{"a": "b"}', b"true"])
    def test_refuses_what_is_not_text(self, value):
        with pytest.raises(MalformedPush, match="not text"):
            read_encrypt(b'{"Encrypt": ' + value + b"}")

    @pytest.mark.parametrize("body", [b"<xml><Encrypt>a</xml>", b'{"Encrypt": "a"', b"Encrypt", b'["Encrypt"]'])
    def test_refuses_an_unreadable_document(self, body):
        with pytest.raises(MalformedPush):
            read_encrypt(body)

    def test_survives_any_depth(self):
        assert read_encrypt(b"<xml>" + b"<A>" * 50_000 + b"</A>" * 50_000 + b"</xml>") is None

    @each_row(
        "body",
        [
            b"<xml><ToUserName>Encrypt</ToUserName></xml>",
            b"<xml><Encrypted>a</Encrypted></xml>",
            b'<xml Encrypt="a"/>',
            b'{"ToUserName": "Encrypt"}',
            b'{"Encrypt": null}',
            b'{"Nested": {"Encrypt": "a"}}',
        ],
    )
    def test_returns_none_if_there_is_none(self, body):
        assert read_encrypt(body) is None

    @each_row(
        "body",
        {
            "cdata": b"<xml><ToUserName>gh</ToUserName><Encrypt><![CDATA[+a/b=]]></Encrypt></xml>",
            "text": b"<xml><Encrypt>+a/b=</Encrypt></xml>",
            "blanks": b"<xml>\n <Encrypt>\n  <![CDATA[+a/b=]]>\n </Encrypt>\n <AppId>wx0</AppId>\n</xml>",
            "bom": BOM + b"<xml><Encrypt>+a/b=</Encrypt></xml>",
            "json": b'{"ToUserName": "gh", "Encrypt": "+a/b="}',
            "json with a bom": BOM + b' {"Encrypt": "+a\\/b="}',
        },
    )
    def test_reads_it_exactly(self, body):
        assert read_encrypt(body) == "+a/b="

    @pytest.mark.parametrize(
        "body",
        [
            b"""<xml>
              <ToUserName><![CDATA[gh]]></ToUserName>
              <ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult><![CDATA[<Encrypt>b</Encrypt>]]></ScanResult></ScanCodeInfo>
              <Encrypt><![CDATA[a]]></Encrypt>
              <SendPicsInfo><PicList><item><PicMd5Sum>c</PicMd5Sum></item></PicList></SendPicsInfo>
            </xml>""",
            b'{"List": {"A": [1, {"Encrypt": "b"}]}, "Encrypt": "a", "Content": "Encrypt"}',
        ],
    )
    def test_is_not_confused_by_nested_parts_of_a_compatible_push(self, body):
        assert read_encrypt(body) == "a"

    def test_reads_a_long_one_whole(self):
        half = "QUJD" * 50_000
        body = f"<xml><Encrypt>{half}<![CDATA[{half}]]></Encrypt></xml>"
        assert read_encrypt(body.encode()) == half * 2


class TestCleanText:
    @each_row("bad", [*map(chr, CONTROL_CHARACTERS), chr(0xD800), chr(0xDFFF), "\ufffe", "\uffff"])
    def test_drops_what_xml_cannot_hold(self, bad):
        assert clean_text(f"a{bad}b") == "ab"

    @each_row("good", ["\t\n\r", "你好", "😀", "\x7f\x85", "\ue000\ufffd\U0010ffff", "<>&]]>"])
    def test_keeps_everything_else(self, good):
        assert clean_text(good) == good


class TestRenderBodyRefuses:
    @each_row("form", ["xml", "json"])
    @each_row("name", ["", "1st", "a b", "a><b", "a\n", "你", "a:b", "-a", 5, None, ("a",), "a/", "a]]>"])
    @each_row("nest", [lambda name: {name: "x"}, lambda name: {"P": [{name: "x"}]}])
    def test_a_name_that_is_not_an_xml_name(self, nest, name, form):
        with pytest.raises(ReplyError):
            render_body(nest(name), form)

    @each_row("form", ["xml", "json"])
    @each_row(
        "value",
        [b"bytes", {"a", "b"}, object(), 1j, float("nan"), float("inf"), [b"bytes"], {"A": object()}, (x for x in "a")],
    )
    def test_a_value_that_is_not_plain(self, value, form):
        with pytest.raises(ReplyError, match=form):
            render_body({"A": value}, form)

    @pytest.mark.parametrize("form", ["xml", "json"])
    def test_fields_that_hold_themselves(self, form):
        fields: dict[str, object] = {}
        fields["A"] = fields
        with pytest.raises(ReplyError):
            render_body(fields, form)


class TestRenderBody:
    @given(fields=DOCUMENTS)
    def test_is_read_back_from_xml(self, fields):
        assert parse_body(render_body(fields, "xml").encode()) == fields

    @given(fields=DOCUMENTS)
    def test_is_read_back_from_json(self, fields):
        assert parse_body(render_body(fields, "json").encode()) == fields

    @given(text=st.text())
    def test_gives_well_formed_xml_for_any_text(self, text):
        root = ET.fromstring(render_body({"A": text, "B": "b"}, "xml").encode())
        assert [child.tag for child in root] == ["A", "B"]
        assert (root.findtext("A") or "") == clean_text(text).replace("\r\n", "\n").replace("\r", "\n")
        assert len(root[0]) == 0

    @given(text=st.text())
    def test_gives_json_that_utf_8_can_hold_for_any_text(self, text):
        assert json.loads(render_body({"A": text}, "json").encode()) == {"A": clean_text(text)}

    @each_row(
        "text",
        [
            "]]></Content><ToUserName>x</ToUserName><Content><![CDATA[",
            "]]]]>>",
            "]]>",
            "]]",
            "<![CDATA[a]]>",
            "&lt;&#60;<!-- -->",
            "]]\x00>",
        ],
    )
    def test_lets_no_text_open_an_element(self, text):
        root = ET.fromstring(render_body({"Content": text}, "xml"))
        assert [child.tag for child in root] == ["Content"]
        assert root.findtext("Content") == clean_text(text)

    def test_splits_the_end_of_cdata(self):
        assert render_body({"A": "1]]>2"}, "xml") == "<xml><A><![CDATA[1]]]]><![CDATA[>2]]></A></xml>"

    @pytest.mark.parametrize("form", ["xml", "json"])
    def test_drops_what_xml_cannot_hold(self, form):
        rendered = render_body({"A": "a\x00\x1f\ud800\uffffb", "B": {"C": ["\x01c"]}}, form)
        assert parse_body(rendered.encode())["A"] == "ab"
        assert "\\u0" not in rendered

    @pytest.mark.parametrize("form", ["xml", "json"])
    def test_leaves_none_out(self, form):
        assert parse_body(render_body({"A": "1", "B": None, "C": {"D": None, "E": "2"}}, form).encode()) == {
            "A": "1",
            "C": {"E": "2"},
        }

    def test_writes_numbers_bare(self):
        assert render_body({"I": 1 << 62, "F": -1.5, "B": True}, "xml") == (
            "<xml><I>4611686018427387904</I><F>-1.5</F><B>true</B></xml>"
        )
        assert render_body({"I": 1 << 62, "F": -1.5, "B": True}, "json") == (
            '{"I":4611686018427387904,"F":-1.5,"B":true}'
        )

    def test_writes_an_integer_enum_as_its_number(self):
        class Perm(IntEnum):
            FREE = 0

        assert render_body({"Perm": Perm.FREE}, "xml") == "<xml><Perm>0</Perm></xml>"
        assert render_body({"Perm": Perm.FREE}, "json") == '{"Perm":0}'

    def test_repeats_the_element_of_a_list(self):
        fields = {"P": ({"N": 1}, {"N": 2}), "L": ["a", "b"]}
        assert render_body(fields, "xml") == (
            "<xml><P><N>1</N></P><P><N>2</N></P><L><![CDATA[a]]></L><L><![CDATA[b]]></L></xml>"
        )
        assert render_body(fields, "json") == '{"P":[{"N":1},{"N":2}],"L":["a","b"]}'

    @pytest.mark.parametrize("form", ["xml", "json"])
    def test_accepts_any_mapping(self, form):
        fields = MappingProxyType({"P": MappingProxyType({"A": "1"})})
        assert parse_body(render_body(fields, form).encode()) == {"P": {"A": "1"}}

    def test_writes_chinese_and_emoji_as_they_are(self):
        assert render_body({"A": "你好😀"}, "json") == '{"A":"你好😀"}'
