import copy
import hashlib
import json

import pytest

from tests.helpers.rows import each_row
from wechat_msg.errors import CallError
from wechat_msg.jssdk import compute_card_signature, compute_signature, make_config

APPID = "wx0123456789abcdef"
URL = "https://example.com/page?id=1"

#: https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html, appendix 1.
PUBLISHED = {
    "jsapi_ticket": "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg",
    "noncestr": "Wm3WZYTPz0wzccnW",
    "timestamp": "1414587457",
    "url": "http://mp.weixin.qq.com?params=value",
}
PUBLISHED_SIGNATURE = "0f9de62fce790f9a083d5c99e95740ceb90c27ed"
TICKET = PUBLISHED["jsapi_ticket"]

NO_TEXT = {
    "none": None,
    "empty": "",
    "bytes": b"1414587457",
    "number": 1414587457,
    "list": ["1414587457"],
    "lone_surrogate": "https://\ud800",
}
no_text = each_row("value", NO_TEXT)


def sign(**changed):
    return compute_signature(**{**PUBLISHED, **changed})


class TestComputeSignature:
    def test_gives_the_published_signature(self):
        assert sign() == PUBLISHED_SIGNATURE

    @pytest.mark.parametrize("fragment", ["#", "#top", "#/route?a=b", "#a#b"])
    def test_leaves_the_fragment_out(self, fragment):
        assert sign(url=PUBLISHED["url"] + fragment) == PUBLISHED_SIGNATURE

    @pytest.mark.parametrize(
        "url", ["https://example.com/?a=%E4%BD%A0&b=1+2", "https://example.com/你好?q= x&y", "http://例子.中国/"]
    )
    def test_signs_the_address_as_it_is_written(self, url):
        text = f"jsapi_ticket=TICKET&noncestr=NONCE&timestamp=1414587457&url={url}"
        expected = hashlib.sha1(text.encode()).hexdigest()
        assert compute_signature("TICKET", noncestr="NONCE", timestamp="1414587457", url=url) == expected

    @pytest.mark.parametrize("name", PUBLISHED)
    def test_covers_every_value(self, name):
        assert sign(**{name: PUBLISHED[name] + "0"}) != PUBLISHED_SIGNATURE

    @each_row("name", [*PUBLISHED])
    @no_text
    def test_refuses_value_that_is_missing_or_not_text(self, name, value):
        with pytest.raises(CallError):
            sign(**{name: value})

    @each_row("url", ["example.com/page", "/page", "//example.com/page", "ftp://example.com", " https://a"])
    def test_refuses_address_that_is_not_whole(self, url):
        with pytest.raises(CallError):
            sign(url=url)

    def test_error_does_not_hold_the_ticket(self):
        for changed in ({"url": "example.com"}, {"noncestr": None}, {"noncestr": "\ud800"}):
            with pytest.raises(CallError) as caught:
                sign(**changed)
            assert TICKET not in f"{caught.value} {caught.value!r} {caught.value.args}"


class TestMakeConfig:
    def test_signs_what_the_page_gives_to_wechat(self):
        config = make_config(APPID, TICKET, URL, ["chooseImage"])
        assert config["signature"] == compute_signature(
            TICKET, noncestr=config["nonceStr"], timestamp=str(config["timestamp"]), url=URL
        )

    def test_has_all_parameters_of_wx_config(self):
        config = make_config(
            APPID,
            TICKET,
            URL,
            ("chooseImage", "scanQRCode"),
            open_tag_list=["wx-open-launch-weapp"],
            debug=True,
            now=lambda: 1414587457.9,
            random_bytes=bytes,
        )
        assert config == {
            "debug": True,
            "appId": APPID,
            "timestamp": 1414587457,
            "nonceStr": "0000000000000000",
            "signature": compute_signature(TICKET, noncestr="0" * 16, timestamp="1414587457", url=URL),
            "jsApiList": ["chooseImage", "scanQRCode"],
            "openTagList": ["wx-open-launch-weapp"],
        }

    def test_names_open_tags_only_if_there_are_any(self):
        assert "openTagList" not in make_config(APPID, TICKET, URL, [])

    def test_can_be_written_as_json(self):
        config = make_config(APPID, TICKET, URL, (name for name in ["chooseImage"]))
        assert json.loads(json.dumps(config)) == config

    def test_does_not_hold_the_ticket(self):
        assert TICKET not in str(make_config(APPID, TICKET, URL, ["chooseImage"]))

    def test_differs_from_one_page_view_to_the_next(self):
        nonces = {make_config(APPID, TICKET, URL, [], now=lambda: 1.0)["nonceStr"] for _ in range(100)}
        assert len(nonces) == 100

    def test_does_not_share_the_list_that_was_given(self):
        names = ["chooseImage"]
        config = make_config(APPID, TICKET, URL, names)
        before = copy.deepcopy(config)
        names.append("scanQRCode")
        assert config == before

    @each_row("name", ["js_api_list", "open_tag_list"])
    @each_row("value", ["chooseImage", b"chooseImage", None, 5, [5], [None]])
    def test_refuses_what_is_not_a_list_of_texts(self, name, value):
        with pytest.raises(CallError, match=name):
            make_config(APPID, TICKET, URL, **{"js_api_list": [], name: value})

    @each_row("name", ["appid", "jsapi_ticket", "url"])
    @each_row("value", [None, "", b"x", 5])
    def test_refuses_value_that_is_missing_or_not_text(self, name, value):
        with pytest.raises(CallError, match=name):
            make_config(**{"appid": APPID, "jsapi_ticket": TICKET, "url": URL, "js_api_list": [], name: value})


class TestComputeCardSignature:
    def test_sorts_the_values_by_bytes_and_joins_them(self):
        values = ("ticket", "1414587457", "NONCE", "pCARD", "\uffff", "\U00010000", "_")
        expected = hashlib.sha1(b"".join(sorted(value.encode() for value in values))).hexdigest()
        assert compute_card_signature(*values) == compute_card_signature(*reversed(values)) == expected

    def test_is_not_changed_by_empty_values(self):
        assert compute_card_signature("ticket", "pCARD", "") == compute_card_signature("ticket", "pCARD")

    @no_text
    def test_refuses_ticket_that_is_missing_or_not_text(self, value):
        with pytest.raises(CallError):
            compute_card_signature(value, "1414587457")

    @each_row("value", [None, b"1", 1414587457, ["1"], "\ud800"])
    def test_refuses_value_that_is_not_text(self, value):
        with pytest.raises(CallError):
            compute_card_signature("ticket", value)
