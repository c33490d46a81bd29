"""Text of a user arrives letter for letter in all modes, and nothing in it becomes an element.

WeChat writes ``<Name><![CDATA[`` text ``]]></Name>`` and splits nothing: the documents here are made the same way.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.helpers.first_principles import APPID, KEY, TOKEN, plain_query, seal, sealed_query
from tests.helpers.rows import each_row
from wechat_msg import (
    Event,
    LinkMessage,
    LocationMessage,
    LocationSelectEvent,
    Message,
    PushRequest,
    PushSettings,
    ScanCodeWaitMsgEvent,
    TextMessage,
    UnknownEvent,
    UnknownMessage,
    UserMessage,
    open_push,
    register_message,
)
from wechat_msg.fields import model, nested, text
from wechat_msg.messages import MESSAGES
from wechat_msg.wire import parse_body

PLAIN = PushSettings(token=TOKEN)
SEALED = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
BOTH = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID, allow_plaintext=True)

modes = pytest.mark.parametrize("mode", ["plain", "sealed", "compatible", "plain where both are allowed"])


def write(words: str, name: str = "Content") -> str:
    """Write one element as WeChat does."""
    return f"<{name}><![CDATA[{words}]]></{name}>"


def write_push(msg_type: str, members: str) -> bytes:
    head = write("gh_1", "ToUserName") + write("oUSER", "FromUserName") + "<CreateTime>1714036504</CreateTime>"
    return f"<xml>{head}{write(msg_type, 'MsgType')}{members}<MsgId>6054768590064713728</MsgId></xml>".encode(
        "utf-8", "surrogatepass"
    )


def write_event(event: str, members: str) -> bytes:
    return write_push("event", write(event, "Event") + members)


def request_of(document: bytes, mode: str) -> tuple[PushSettings, PushRequest]:
    if mode == "plain":
        return PLAIN, PushRequest("POST", plain_query(), document)
    if mode == "plain where both are allowed":
        return BOTH, PushRequest("POST", plain_query(), document)
    sealed = seal(document)
    element = write(sealed, "Encrypt").encode()
    shown = document.removesuffix(b"</xml>") if mode == "compatible" else b"<xml><ToUserName>gh_1</ToUserName>"
    return SEALED, PushRequest("POST", sealed_query(sealed), shown + element + b"</xml>")


def receive(document: bytes, mode: str) -> Message:
    message = open_push(*request_of(document, mode)).message
    assert (message.to_user_name, message.from_user_name) == ("gh_1", "oUSER")
    assert message.create_time == 1714036504
    return message


#: ``{}`` stands for the name of the element that the text is in.
TEXTS = {
    "the end of a section": "a]]>b",
    "ends of sections": "]]>]]>x]]>",
    "brackets": "]]]]]",
    "a bracket at the end": "a]",
    "split sections": "x = y[z[0]]>1; <![CDATA[",
    "the end of the element": "a]]></{}>b",
    "ends of the element": "]]></{}>]]></{}>]]></{}>",
    "the end of the document": "a]]></{}><MsgId>1</MsgId></xml>",
    "the end of the document and another one": "a]]></{}></xml><xml><{}><![CDATA[b",
    "another sender": "a]]></{}><FromUserName>oEVIL</FromUserName>",
    "another sender, well-formed": "a]]></{}><FromUserName>oEVIL</FromUserName><{}><![CDATA[b",
    "another sender, in a section": "a]]></{}><FromUserName><![CDATA[oEVIL]]></FromUserName><{}><![CDATA[b",
    "another sender, twice": "]]></{}><FromUserName>a</FromUserName><FromUserName>b</FromUserName><{}><![CDATA[",
    "another sender, as an end": "]]></FromUserName><MsgType><![CDATA[event]]></MsgType><{}><![CDATA[",
    "another type": "a]]></{}><MsgType>event</MsgType><Event>subscribe</Event><{}><![CDATA[b",
    "another Encrypt": "a]]></{}><Encrypt>AAAA</Encrypt><{}><![CDATA[b",
    "another Encrypt, not closed": "<Encrypt>",
    "something unheard of": "a]]></{}><Unheard>1</Unheard><{}><![CDATA[b",
    "another of the same": "a]]></{}><Unheard/><{}><![CDATA[b",
    "a wrapper": "a]]></{}><W><{}><![CDATA[b",
    "a comment": "a]]></{}><!--",
    "an instruction": "a]]></{}><?x ",
    "a document type": "<!DOCTYPE html><html>]]>",
    "markup": "<b>1 & 2</b> &amp; &#0; <![CDATA[",
    "a whole push": "<xml><Content><![CDATA[hi]]></Content></xml>",
    "blanks": "  a]]>\t\n",
    "many ends": "]]></{}>" * 100,
    "sections side by side": "a]]><![CDATA[b",
}
#: Elements with text of users: the document of a message with a text in it, and the attribute with the text.
PLACES = {
    "Content": (lambda text: write_push("text", write(text)), TextMessage, "content"),
    "Title": (
        lambda text: write_push("link", write(text, "Title") + write("d", "Description") + write("u", "Url")),
        LinkMessage,
        "title",
    ),
    "Description": (
        lambda text: write_push("link", write("t", "Title") + write(text, "Description") + write("u", "Url")),
        LinkMessage,
        "description",
    ),
    "Label": (
        lambda text: write_push(
            "location",
            "<Location_X>23.1</Location_X><Location_Y>113.3</Location_Y><Scale>16</Scale>" + write(text, "Label"),
        ),
        LocationMessage,
        "label",
    ),
    "ScanResult": (
        lambda text: write_event(
            "scancode_waitmsg",
            write("6", "EventKey")
            + f"<ScanCodeInfo>{write('qrcode', 'ScanType')}{write(text, 'ScanResult')}</ScanCodeInfo>",
        ),
        ScanCodeWaitMsgEvent,
        "scan_code_info.scan_result",
    ),
    "Poiname": (
        lambda text: write_event(
            "location_select",
            write("6", "EventKey")
            + "<SendLocationInfo><Location_X>23.1</Location_X><Location_Y>113.3</Location_Y>"
            + write("a", "Label")
            + write(text, "Poiname")
            + "</SendLocationInfo>",
        ),
        LocationSelectEvent,
        "send_location_info.poiname",
    ),
    "Wish": (lambda text: write_event("unheard_of", write(text, "Wish")), UnknownEvent, "raw.Wish"),
}


def look_up(message: Message, path: str) -> object:
    value: object = message
    for name in path.split("."):
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    return value


@modes
class TestATextOfAUser:
    @each_row("place", list(PLACES))
    def test_arrives_letter_for_letter(self, place, mode):
        build, cls, path = PLACES[place]
        lost = []
        for name, template in TEXTS.items():
            words = template.replace("{}", place)
            message = receive(build(words), mode)
            if not (isinstance(message, cls) and look_up(message, path) == words):
                lost.append((name, type(message).__name__))
        assert lost == []

    @each_row("place", list(PLACES))
    def test_never_becomes_an_element(self, place, mode):
        build, _, _ = PLACES[place]
        names = receive(build("words"), mode).raw.keys()
        for template in TEXTS.values():
            assert receive(build(template.replace("{}", place)), mode).raw.keys() == names


HEAD = ("ToUserName", "FromUserName", "CreateTime", "MsgType")
ATTACKS_ON_LATER_MEMBERS = [
    (
        "file",
        ("Description", "FileKey", "FileMd5"),
        "a]]></Title><Description><![CDATA[]]></Description><FileKey><![CDATA[EVIL]]></FileKey><FileMd5><![CDATA[",
    ),
    (
        "miniprogrampage",
        ("AppId", "PagePath", "ThumbMediaId"),
        "a]]></Title><AppId><![CDATA[wxEVIL]]></AppId><PagePath><![CDATA[EVIL]]></PagePath><ThumbMediaId><![CDATA[",
    ),
    ("link", ("Description", "Url"), "a]]></Title><Idx>9</Idx><BusinessId>evil</BusinessId><Description><![CDATA[x"),
    ("link", ("Description", "Url"), "a]]></Title><Encrypt>x</Encrypt><Description><![CDATA[x"),
]
ATTACKS_OF_TWO = [
    ("a]]></Title><!--", "--><Idx>1</Idx><Description><![CDATA[b"),
    ("a]]></Title><?x ", "?><Idx>1</Idx><Description><![CDATA[b"),
    ("a]]></Title><W><Title><![CDATA[x", "b]]></Description></W><Idx>1</Idx><Description><![CDATA[c"),
    ("a]]></Title><FromUserName>oEVIL</FromUserName><Title><![CDATA[b",) * 2,
    ("a]]></Description><FromUserName>oEVIL</FromUserName><Description><![CDATA[b",) * 2,
    ("]]></Title>]]></Description>", "]]></Description>]]></Title>"),
    ("<Description><![CDATA[", "]]></Title>"),
    ("a", "]]></Title><Description><![CDATA["),
    ("]]></Title><Description><![CDATA[", "b"),
]


@modes
class TestTwoTextsOfOnePush:
    def test_arrive_or_end_as_an_unknown_message_and_never_as_elements(self, mode):
        for title, description in ATTACKS_OF_TWO:
            members = write(title, "Title") + write(description, "Description") + write("u", "Url")
            message = receive(write_push("link", members), mode)
            if isinstance(message, LinkMessage):
                assert (message.title, message.description, message.url) == (title, description, "u")
            assert message.raw.keys() <= {*HEAD, "Title", "Description", "Url", "MsgId"}

    def test_do_not_change_what_wechat_writes_behind_them(self, mode):
        for msg_type, names, title in ATTACKS_ON_LATER_MEMBERS:
            members = write(title, "Title") + "".join(write(f"genuine {name}", name) for name in names)
            message = receive(write_push(msg_type, members), mode)
            assert message.raw.keys() <= {*HEAD, "Title", *names, "MsgId"}
            assert {message.raw[name] for name in names if name in message.raw} <= {f"genuine {name}" for name in names}

    def test_of_a_platform_never_become_a_push_of_a_user(self, mode):
        evil = (
            "<ToUserName>gh_1</ToUserName><FromUserName>oEVIL</FromUserName><MsgType>text</MsgType><Content>x</Content>"
        )
        junk = "".join(f"<{name}><![CDATA[]]></{name}>" for name in "abcdefghij") * 4
        for nick in (
            f"a]]></nick>{evil}<remark><![CDATA[",
            f"a]]></nick>{junk}{evil}<nick><![CDATA[",
            f"a]]></nick>{junk}</info>{evil}<info><nick><![CDATA[",
        ):
            info = f"<info>{write(nick, 'nick')}{write('r', 'remark')}</info>"
            document = (
                f"<xml><AppId>wx1</AppId><CreateTime>1714036504</CreateTime><InfoType>notify</InfoType>{info}</xml>"
            )
            message = open_push(*request_of(document.encode(), mode)).message
            assert isinstance(message, Event)
            assert message.from_user_name == ""

    def test_that_take_too_long_to_separate_end_as_an_unknown_message(self, mode):
        junk = "".join(f"<{name}><![CDATA[]]></{name}>" for name in "abcdefghij") * 4
        evil = "<FromUserName><![CDATA[oEVIL]]></FromUserName>"
        for words in (
            f"]]></Content>{junk}{evil}<Content><![CDATA[b",
            f"]]></Content>{junk}",
            "]]></Content>" * 150 + evil,
        ):
            message = receive(write_push("text", write(words)), mode)
            assert isinstance(message, UnknownMessage) or message.content == words

    def test_of_a_list_arrive_each(self, mode):
        items = [f"<Item>{write(words, 'Name')}{write('1', 'Value')}</Item>" for words in ("a]]>b", "c", "d]]>]]>")]
        event = receive(write_event("unheard_of", f"<List>{''.join(items)}</List>"), mode)
        assert [item["Name"] for item in event.raw["List"]["Item"]] == ["a]]>b", "c", "d]]>]]>"]


class TestOtherWriters:
    def test_may_split_the_end_of_a_section(self):
        for words in ("a]]]]><![CDATA[>b", "]]]]><![CDATA[>]]]]><![CDATA[>"):
            content = receive(write_push("text", write(words)), "plain").content
            assert content == words.replace("]]]]><![CDATA[>", "]]>")

    def test_may_set_blanks_around_sections(self):
        document = write_push("text", write("hi")).replace(b"<![CDATA[", b"\n <![CDATA[").replace(b"]]>", b"]]>\n ")
        assert parse_body(document)["Content"] == "hi"

    @MESSAGES.temporary()
    def test_may_nest_in_a_message_of_their_own(self):
        @model
        class Part:
            name: str = text("Name")

        @register_message("poke")
        class PokeMessage(UserMessage):
            part: Part = nested("Part", Part)

        for words in ("nose", "a]]>b"):
            message = receive(write_push("poke", f"<Part>{write(words, 'Name')}</Part>"), "plain")
            assert message.part.name == words


class TestCharactersThatXmlDoesNotHave:
    @modes
    @each_row(
        ("words", "content"),
        [
            (b"a\xef\xbf\xbeb", "a\ufffdb"),
            (b"a\xef\xbf\xbfb", "a\ufffdb"),
            (b"a\xed\xa0\xbdb", "a\ufffdb"),
            (b"a\xed\xa0\xbd\xed\xb8\x80b", "a\ufffd\ufffdb"),
            (b"a\xe4\xbd", "a\ufffd"),
            (b"\xc4\xe3\xba\xc3", "\ufffd" * 3),
            (b"a\xff]]>b", "a\ufffd]]>b"),
            (b"a\x01]]>\xef\xbf\xbe", "a]]>\ufffd"),
        ],
    )
    def test_are_replaced_and_the_message_arrives(self, words, content, mode):
        document = write_push("text", write("WORDS")).replace(b"WORDS", words)
        assert receive(document, mode).content == content


PIECES = [
    "]]>",
    "]]",
    "]",
    ">",
    "<",
    "<![CDATA[",
    "</Content>",
    "<Content>",
    "]]></Content>",
    "<Content><![CDATA[",
    "<FromUserName>oEVIL</FromUserName>",
    "<Encrypt>AAAA</Encrypt>",
    "<MsgId>1</MsgId>",
    "</xml>",
    "<xml>",
    "<a>",
    "</a>",
    "<!--",
    "-->",
    "<?x ",
    "?>",
    "&amp;",
    "&",
    "你好",
    "😀",
    "\n",
    " ",
    "a",
]


class TestAnyText:
    @given(words=st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join))
    @settings(max_examples=4 * settings().max_examples)
    @example(words="]]></Content></xml><xml><Content><![CDATA[")
    def test_arrives_in_every_mode(self, words):
        # A text that looks split by its writer cannot be distinguished from one that is.
        expected = words if "]]]]><![CDATA[>" not in words else None
        for mode in ("plain", "sealed", "compatible"):
            message = receive(write_push("text", write(words)), mode)
            assert message.from_user_name == "oUSER"
            assert set(message.raw) <= {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId"}
            if expected is not None:
                assert isinstance(message, UnknownMessage) or message.content == expected
