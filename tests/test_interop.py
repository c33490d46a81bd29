"""The other implementation: wechatpy opens what this package seals, and the other way round."""

from xml.sax.saxutils import escape

import pytest
import wechatpy
import xmltodict
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.replies import TextReply as TextReplyOfWeChatPy
from wechatpy.replies import deserialize_reply
from wechatpy.utils import check_signature

from tests.helpers.first_principles import APPID, KEY, NONCE, TIMESTAMP, TOKEN, sign
from tests.helpers.rows import each_row
from wechat_msg import (
    AppIdMismatch,
    Article,
    DecryptError,
    ImageReply,
    MessageCipher,
    MusicReply,
    NewsReply,
    PushRequest,
    PushSettings,
    SignatureMismatch,
    TransferCustomerServiceReply,
    VideoReply,
    VoiceReply,
    answer_echostr,
    open_push,
    seal_reply,
)
from wechat_msg.testing import build_echostr_request, build_push, open_reply

OTHER_KEY = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbA"
SETTINGS = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
THEIRS = WeChatCrypto(TOKEN, KEY, APPID)
TEXTS = {
    "plain": "hello",
    "chinese": "今天天气不错，适合出游",
    "emoji": "👋👨‍👩‍👧 😀",
    "cdata_end": "a]]>b]]]]>>]]",
    "cdata_start": "<![CDATA[a]]>",
    "markup": "<a href=\"http://a.example/?a=1&b=2\">&amp; 'x'</a></Content><MsgType>event</MsgType>",
    "references": "&#0; &lt; &nbsp; %s {0} \\n \\u4f60",
    "lines": "one\ntwo\n\nthree",
    "2048_bytes": "字" * 682 + "ab",
}
every_text = each_row("text", TEXTS)
every_mode = pytest.mark.parametrize("mode", ["plain", "compatible", "sealed"])


def sealed_by_wechatpy(document: str, crypto: WeChatCrypto = THEIRS) -> PushRequest:
    """Turn the output of wechatpy into a push, with its MsgSignature in the query."""
    body = crypto.encrypt_message(document, NONCE, TIMESTAMP)
    query = {
        "msg_signature": xmltodict.parse(body)["xml"]["MsgSignature"],
        "timestamp": TIMESTAMP,
        "nonce": NONCE,
        "encrypt_type": "aes",
    }
    return PushRequest("POST", query, body.encode())


def push_of(content: str) -> str:
    return (
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>oUSER</FromUserName><CreateTime>1714036504</CreateTime>"
        f"<MsgType>text</MsgType><Content>{content}</Content><MsgId>6054768590064713728</MsgId></xml>"
    )


def opened_by_wechatpy(body: bytes, crypto: WeChatCrypto = THEIRS) -> str:
    outer = xmltodict.parse(body)["xml"]
    return crypto.decrypt_message(body, outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"])


class TestPushSealedByWeChatPy:
    def test_is_rejected_when_made_with_another_token(self):
        with pytest.raises(SignatureMismatch):
            open_push(SETTINGS, sealed_by_wechatpy(push_of("hi"), WeChatCrypto("another", KEY, APPID)))

    def test_is_rejected_when_made_with_another_key(self):
        with pytest.raises(DecryptError):
            open_push(SETTINGS, sealed_by_wechatpy(push_of("hi"), WeChatCrypto(TOKEN, OTHER_KEY, APPID)))

    def test_is_rejected_when_made_for_another_account(self):
        with pytest.raises(AppIdMismatch):
            open_push(SETTINGS, sealed_by_wechatpy(push_of("hi"), WeChatCrypto(TOKEN, KEY, "wxfedcba9876543210")))

    @every_text
    def test_opens_with_escaped_text(self, text):
        message = open_push(SETTINGS, sealed_by_wechatpy(push_of(escape(text)))).message
        assert message.content == text
        assert message.msg_id == "6054768590064713728"

    @every_text
    def test_opens_with_text_in_cdata(self, text):
        cdata = "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
        assert open_push(SETTINGS, sealed_by_wechatpy(push_of(cdata))).message.content == text

    @each_row("count", range(64))
    def test_opens_whatever_its_length(self, count):
        assert open_push(SETTINGS, sealed_by_wechatpy(push_of("x" * count))).message.content == "x" * count


class TestReplySealedHere:
    def test_is_rejected_by_wechatpy_with_another_token(self):
        response = seal_reply(SETTINGS, open_push(SETTINGS, build_push(SETTINGS, {"Content": "hi"})), "hello")
        with pytest.raises(InvalidSignatureException):
            opened_by_wechatpy(response.body, WeChatCrypto("another", KEY, APPID))

    def test_is_rejected_by_wechatpy_for_another_account(self):
        response = seal_reply(SETTINGS, open_push(SETTINGS, build_push(SETTINGS, {"Content": "hi"})), "hello")
        with pytest.raises(InvalidAppIdException):
            opened_by_wechatpy(response.body, WeChatCrypto(TOKEN, KEY, "wxfedcba9876543210"))

    @every_text
    def test_opens_with_wechatpy(self, text):
        push = open_push(SETTINGS, build_push(SETTINGS, {"Content": "hi", "FromUserName": "oUSER"}))
        reply = deserialize_reply(opened_by_wechatpy(seal_reply(SETTINGS, push, text, now=lambda: 5).body))
        assert (reply.type, reply.content, reply.target, reply.time) == ("text", text, "oUSER", 5)

    @each_row(
        ("reply", "attributes"),
        [
            (ImageReply(media_id="m"), {"type": "image", "image": "m"}),
            (VoiceReply(media_id="m"), {"type": "voice", "voice": "m"}),
            (VideoReply(media_id="m", title="]]>", description="<d>"), {"media_id": "m", "title": "]]>"}),
            (MusicReply(thumb_media_id="m", title="t"), {"type": "music", "thumb_media_id": "m", "title": "t"}),
            (TransferCustomerServiceReply(), {"type": "transfer_customer_service"}),
        ],
    )
    def test_of_every_type_is_understood_by_wechatpy(self, reply, attributes):
        push = open_push(SETTINGS, build_push(SETTINGS, {"Content": "hi"}))
        theirs = deserialize_reply(opened_by_wechatpy(seal_reply(SETTINGS, push, reply).body))
        assert {name: getattr(theirs, name) for name in attributes} == attributes

    def test_with_articles_is_understood_by_wechatpy(self):
        article = Article(title="]]>", description="<d>", pic_url="http://a.example/p?a=1&b=2", url="http://a.example/")
        push = open_push(SETTINGS, build_push(SETTINGS, {"Content": "hi"}))
        reply = NewsReply(articles=[article, article])
        theirs = deserialize_reply(opened_by_wechatpy(seal_reply(SETTINGS, push, reply).body))
        expected = {
            "title": article.title,
            "description": article.description,
            "image": article.pic_url,
            "url": article.url,
        }
        assert [dict(each) for each in theirs.articles] == [expected, expected]


class TestReplySealedByWeChatPy:
    @pytest.mark.parametrize("text", ["hello", "今天天气不错", "<a href='x'>&amp;</a>"])
    def test_opens_with_open_reply(self, text):
        document = TextReplyOfWeChatPy(source="gh_1", target="oUSER", content=text).render()
        members = open_reply(SETTINGS, THEIRS.encrypt_message(document, NONCE, TIMESTAMP).encode())
        assert (members["ToUserName"], members["Content"], members["MsgType"]) == ("oUSER", text, "text")


class TestPushBuiltHere:
    # Like WeChat, it does not split the end of a CDATA section in a text, and wechatpy cannot read that.
    @each_row("text", [text for text in TEXTS.values() if "]]>" not in text])
    @every_mode
    def test_opens_with_wechatpy(self, mode, text):
        fields = {"Content": text, "FromUserName": "oUSER", "ToUserName": "gh_1", "MsgId": 6054768590064713728}
        request = build_push(SETTINGS, fields, mode=mode, now=lambda: 1714036504)
        document = request.body
        if mode != "plain":
            query = request.query
            document = THEIRS.decrypt_message(request.body, query["msg_signature"], query["timestamp"], query["nonce"])
        message = wechatpy.parse_message(document)
        assert (message.type, message.content, message.source, message.target) == ("text", text, "oUSER", "gh_1")
        assert message.id == 6054768590064713728
        assert message.create_time.timestamp() == 1714036504

    @every_mode
    def test_has_a_signature_that_wechatpy_accepts(self, mode):
        query = build_push(SETTINGS, {"Content": "hi"}, mode=mode).query
        check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])  # raises nothing
        with pytest.raises(InvalidSignatureException):
            check_signature("another", query["signature"], query["timestamp"], query["nonce"])


class TestUrlVerification:
    def test_request_built_here_is_accepted_by_both(self):
        query = build_echostr_request(SETTINGS, "4375120948345356249").query
        check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])  # raises nothing
        assert answer_echostr(SETTINGS, query) == "4375120948345356249"


class TestMessageCipher:
    def test_opens_and_seals_the_same_as_wechatpy_in_turn(self):
        cipher = MessageCipher(KEY, APPID)
        for number in range(50):
            content = f"<xml><Content>{'x' * number}</Content></xml>"
            theirs = xmltodict.parse(THEIRS.encrypt_message(content, NONCE, TIMESTAMP))["xml"]["Encrypt"]
            assert cipher.decrypt(theirs) == content.encode()
            ours = cipher.encrypt(content.encode())
            signature = sign(TOKEN, TIMESTAMP, NONCE, ours)
            assert THEIRS.decrypt_message({"Encrypt": ours}, signature, TIMESTAMP, NONCE) == content
