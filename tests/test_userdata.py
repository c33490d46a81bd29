import base64
import binascii
import json
import pickle
import random
import re
from urllib.parse import parse_qs, quote

import pytest
from Crypto.Cipher import AES

from tests.helpers.rows import each_row
from wechat_msg.errors import ClientError, UserDataError
from wechat_msg.userdata import (
    compute_pay_signature,
    compute_raw_data_signature,
    compute_session_signature,
    decrypt_user_data,
    is_raw_data_valid,
    verify_raw_data,
)

#: https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html, the sample of signatures.
RAW_DATA = (
    '{"nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou","province":"Guangdong","country":"CN",'
    '"avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/1vZvI39NWFQ9XM4LtQpFrQJ1xlgZxx3w7bQxKARol6503Iuswjjn6nIGBiaycAjAt'
    'pujxyzYsrztuuICqIM5ibXQ/0"}'
)
RAW_DATA_KEY = "HyVFkGl5F5OQWJZZaNzBBg=="
RAW_DATA_SIGNATURE = "75e81ceda165f4ffa64f4068af58c64b8f54b88c"

#: The same page, the sample of encrypted data that its demos open.
APPID = "wx4f4bc4dec97d474b"
SESSION_KEY = "tiihtNczf5v6AKRyjwEUhQ=="
IV = "r7BXXKkLb8qrSNn05n0qiA=="
ENCRYPTED_DATA = (
    "CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrDcvSnxIMXFufNstNGTyaGS9uT5geRa0W4oTOb1WT7fJlAC+oNPdbB+3hVbJSRgv+4lGOET"
    "KUQz6OYStslQ142dNCuabNPGBzlooOmB231qMM85d2/fV6ChevvXvQP8Hkue1poOFtnEtpyxVLW1zAo6/1Xx1COxFvrc2d7UL/lmHInNlxuacJXw"
    "u0fjpXfz/YqYzBIBzD6WUfTIF9GRHpOn/Hz7saL8xz+W//FRAUid1OksQaQx4CMs8LOddcQhULW4ucetDf96JcR3g0gfRK4PC7E/r7Z6xNrXd2UI"
    "eorGj5Ef7b1pJAYB6Y5anaHqZ9J6nKEBvB4DnNLIVWSgARns/8wR2SiRS7MNACwTyrGvt9ts8p12PKFdlqYTopNHR1Vf7XjfhQlVsAJdNiKdYmYV"
    "oKlaRv85IfVunYzO0IKXsyl7JCUjCpoG20f0a04COwfneQAGGwd5oa+T8yO5hzuyDb/XcxxmK01EpqOyuxINew=="
)
USER_DATA = {
    "openId": "oGZUI0egBJY1zhBYw2KhdUfwVJJE",
    "nickName": "Band",
    "gender": 1,
    "language": "zh_CN",
    "city": "Guangzhou",
    "province": "Guangdong",
    "country": "CN",
    "avatarUrl": "http://wx.qlogo.cn/mmopen/vi_32/aSKcBBPpibyKNicHNTMM0qJVh8Kjgiak2AHWr8MHM4WgMEm7GFhsf8OYrySdbvAMvTsw3"
    "mo8ibKicsnfN5pRjl1p8HQ/0",
    "unionId": "ocMvos6NjeKLIBqg5Mr9QjxrP1FA",
    "watermark": {"timestamp": 1477314187, "appid": APPID},
}

SENT_WITH_PLUS = {
    "session_key": "+iihtNczf5v6AKRyjwEUhQ==",
    "encrypted_data": ENCRYPTED_DATA,
    "iv": "r7BX+KkLb8qrSNn05n0qiA==",
}

NO_TEXT = {
    "none": None,
    "bytes": b"tiihtNczf5v6AKRyjwEUhQ==",
    "number": 1414587457,
    "list": ["tiihtNczf5v6AKRyjwEUhQ=="],
    "lone_surrogate": "\ud800",
}
no_text = each_row("value", NO_TEXT)

NO_BASE64 = {
    "empty": "",
    "not_ascii": "公众号",
    "fullwidth": "ｔ" * 24,
    "url_safe": "-_" * 12,
    "with_line_end": "tiihtNczf5v6AKRyjwEUhQ==\n",
    "with_blank_for_plus": "tiihtNczf5v6 KRyjwEUhQ==",
    "with_text_after_its_end": "tiihtNczf5v6AKRyjwEUhQ==AAAA",
    "without_its_end": "tiihtNczf5v6AKRyjwEUhQ",
    "only_padding": "====",
    "one_letter": "A",
}


def encode(value: bytes) -> str:
    return base64.b64encode(value).decode()


def seal(plain: bytes | str | dict, *, pad: bytes | None = None) -> str:
    """Encrypt any text with any padding, as only WeChat could."""
    if isinstance(plain, dict):
        plain = json.dumps(plain)
    if isinstance(plain, str):
        plain = plain.encode()
    length = 16 - len(plain) % 16
    padded = plain + (bytes([length]) * length if pad is None else pad)
    return encode(AES.new(base64.b64decode(SESSION_KEY), AES.MODE_CBC, base64.b64decode(IV)).encrypt(padded))


def sealed_with(watermark: object) -> str:
    return seal({"openId": "oUSER", "watermark": watermark})


def decrypt(encrypted_data=ENCRYPTED_DATA, *, session_key=SESSION_KEY, iv=IV, appid=APPID, **options):
    return decrypt_user_data(session_key, encrypted_data, iv, appid=appid, **options)


class TestDecryptUserData:
    def test_opens_the_published_sample(self):
        assert decrypt() == USER_DATA

    @each_row("length", range(17))
    def test_opens_data_of_every_length(self, length):
        data = {"a": "x" * length, "watermark": {"appid": APPID}}
        assert decrypt(seal(data)) == data

    def test_opens_chinese_text(self):
        data = {"nickName": "小明 😀", "watermark": {"appid": APPID}}
        assert decrypt(seal(json.dumps(data, ensure_ascii=False))) == data

    def test_opens_half_of_a_surrogate_pair_as_text_that_can_be_written(self):
        data = decrypt(seal({"nickName": "a\ud83d", "watermark": {"appid": APPID}}))
        assert data["nickName"] == "a\ufffd"

    @each_row("name", ["session_key", "encrypted_data", "iv"])
    @no_text
    def test_refuses_value_that_is_not_text(self, name, value):
        with pytest.raises(UserDataError, match=name):
            decrypt(**{name: value})

    @each_row("name", ["session_key", "iv"])
    @each_row("value", NO_BASE64)
    def test_refuses_value_that_is_not_base64(self, name, value):
        with pytest.raises(UserDataError, match=name):
            decrypt(**{name: value})

    @each_row("value", NO_BASE64)
    def test_refuses_data_that_are_not_base64(self, value):
        with pytest.raises(UserDataError):
            decrypt(value)

    @each_row("name", ["session_key", "encrypted_data", "iv"])
    @each_row(
        ("damage", "what", "advice"),
        [
            (lambda sent: parse_qs(f"value={sent}")["value"][0], "spaces where + was", "encodeURIComponent"),
            (lambda sent: quote(sent, safe=""), "percent-encoded", "解码"),
        ],
    )
    def test_explains_the_damage_that_a_form_did_to_base64(self, name, damage, what, advice):
        sent = damage(SENT_WITH_PLUS[name])
        with pytest.raises(UserDataError, match=f"{name} is not base64: it .*{re.escape(what)}") as caught:
            decrypt(**{name: sent})

        assert advice in caught.value.hint
        assert sent not in str(caught.value)
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)

    @each_row("name", ["session_key", "iv"])
    @each_row("length", [1, 15, 17, 24, 32, 1000])
    def test_refuses_key_and_iv_of_another_length(self, name, length):
        with pytest.raises(UserDataError, match=f"{name} is not the base64 of 16 bytes"):
            decrypt(**{name: encode(bytes(length))})

    @pytest.mark.parametrize("length", [1, 15, 17, 31])
    def test_refuses_data_that_are_no_whole_blocks(self, length):
        with pytest.raises(UserDataError):
            decrypt(encode(bytes(length)))

    def test_refuses_another_session_key(self):
        with pytest.raises(UserDataError):
            decrypt(session_key=RAW_DATA_KEY)

    def test_refuses_another_iv(self):
        with pytest.raises(UserDataError):
            decrypt(iv=RAW_DATA_KEY)

    @each_row("pad", [b" " * 8, b"\0" * 8, b"\x11" * 8, b"\1" * 7 + b"\x08", b"\x08" * 3 + b"\x07" + b"\x08" * 4])
    def test_refuses_wrong_padding(self, pad):
        plain = json.dumps({"watermark": {"appid": APPID}}).ljust(56)
        assert decrypt(seal(plain, pad=b"\x08" * 8))
        with pytest.raises(UserDataError):
            decrypt(seal(plain, pad=pad))

    @each_row(
        "plain",
        [
            "",
            "null",
            "1",
            '"text"',
            "[]",
            '[{"watermark":{"appid":"wx4f4bc4dec97d474b"}}]',
            '{"watermark":{"appid":"wx4f4bc4dec97d474b"}',
            '{"watermark":{"appid":"wx4f4bc4dec97d474b"}} {}',
            '{"watermark":{"appid":"wx4f4bc4dec97d474b"},"watermark":{"appid":"wx1"}}',
            '{"watermark":{"appid":"wx4f4bc4dec97d474b"},"a":' + "[" * 100_000,
            '{"watermark":{"appid":"wx4f4bc4dec97d474b"},"a":' + "[" * 100 + "]" * 100 + "}",
            '{"watermark":{"appid":"wx4f4bc4dec97d474b"}}'.encode("utf-16"),
            b"<xml><watermark><appid>wx4f4bc4dec97d474b</appid></watermark></xml>",
        ],
    )
    def test_refuses_what_is_not_one_json_object(self, plain):
        with pytest.raises(UserDataError):
            decrypt(seal(plain))

    @each_row(
        ("sent", "read"),
        [
            (b'"a\xffb"', "a\ufffdb"),
            (b'"a\xed\xa0\x80b"', "a\ufffdb"),
            (b'"a\x01b\n"', "ab\n"),
            (rb'"C:\dir"', r"C:\dir"),
            (b"NaN", None),
            (b"1" * 5000, None),
            (b"18446744073709551617", 2**64 + 1),
            (b'"first","nickName":"last"', "last"),
        ],
    )
    def test_opens_data_of_which_one_member_is_damaged(self, sent, read):
        data = decrypt(seal(b'{"openId":"oUSER","nickName":' + sent + b',"watermark":{"appid":"%s"}}' % APPID.encode()))

        assert data == {"openId": "oUSER", "nickName": read, "watermark": {"appid": APPID}}

    def test_gives_the_same_error_for_wrong_padding_and_for_wrong_text(self):
        """Otherwise an attacker could find out the text by trying paddings."""
        said = set()
        for sealed in (seal("{}", pad=b"\0" * 14), seal("no JSON"), seal(b"\xff"), seal("[]"), seal('{"a":')):
            with pytest.raises(UserDataError) as caught:
                decrypt(sealed)
            said.add(str(caught.value))
        assert len(said) == 1

    @each_row(
        "watermark",
        [
            None,
            "",
            APPID,
            5,
            [],
            [APPID],
            [{"appid": APPID}],
            {},
            {"appid": None},
            {"appid": ""},
            {"appid": 5},
            {"appid": [APPID]},
            {"appid": {"appid": APPID}},
            {"appid": APPID + "0"},
            {"appid": APPID[:-1]},
            {"appid": APPID.upper()},
            {"appid": "公众号"},
            {"appid": "\ud800"},
            {"AppId": APPID},
        ],
    )
    def test_refuses_data_of_another_mini_program(self, watermark):
        with pytest.raises(UserDataError, match="another Mini Program"):
            decrypt(sealed_with(watermark))

    def test_refuses_data_without_watermark(self):
        with pytest.raises(UserDataError, match="another Mini Program"):
            decrypt(seal({"openId": "oUSER", "appid": APPID}))

    @each_row("appid", [None, "", b"wx4f4bc4dec97d474b", 5, [APPID], "公众号", "\ud800"])
    @each_row("watermark", [None, {}, {"appid": None}, {"appid": ""}, {"appid": "公众号"}, {"appid": APPID}])
    def test_refuses_all_data_if_the_given_appid_is_empty_or_not_text(self, appid, watermark):
        with pytest.raises(UserDataError, match="another Mini Program"):
            decrypt(sealed_with(watermark), appid=appid)

    def test_looks_at_the_time_only_if_asked(self):
        assert decrypt(sealed_with({"appid": APPID, "timestamp": "yesterday"}))["openId"] == "oUSER"

    @pytest.mark.parametrize("now", [1477314187 - 300, 1477314187.0, 1477314187 + 300.9])
    def test_opens_data_of_a_time_near_enough(self, now):
        assert decrypt(max_age=300, now=lambda: now) == USER_DATA

    @pytest.mark.parametrize("now", [1477314187 - 301, 1477314187 + 301, 0.0])
    def test_refuses_data_of_a_time_too_far_off(self, now):
        with pytest.raises(UserDataError, match="max_age"):
            decrypt(max_age=300, now=lambda: now)

    @each_row("timestamp", [None, "", "1477314187", 1.5e300, [1477314187], True, -1, 10**4000])
    def test_refuses_data_whose_time_is_missing_or_not_a_valid_time(self, timestamp):
        with pytest.raises(UserDataError, match="max_age"):
            decrypt(sealed_with({"appid": APPID, "timestamp": timestamp}), max_age=300, now=lambda: 1477314187.0)

    def test_survives_a_huge_text(self):
        for value in ("A" * 10_000_000, "A" * 10_000_001, "公" * 3_000_000):
            with pytest.raises(UserDataError):
                decrypt(value)
            with pytest.raises(UserDataError):
                decrypt(session_key=value)

    def test_raises_nothing_but_its_error_whatever_arrives(self):
        dice = random.Random(20240229)
        for _ in range(3000):
            sealed = bytearray(base64.b64decode(ENCRYPTED_DATA))
            for _ in range(dice.randrange(1, 4)):
                sealed[dice.randrange(len(sealed))] ^= dice.randrange(1, 256)
            try:
                opened = decrypt(encode(bytes(sealed)[: 16 * dice.randrange(len(sealed) // 16 + 1)]))
            except UserDataError:
                continue
            assert opened["watermark"]["appid"] == APPID

    def test_raises_nothing_but_its_error_whatever_it_is_given_for_base64(self):
        dice = random.Random(20240301)
        letters = "Aa0+/=-_ \n\0公\ud800"
        for _ in range(3000):
            text = "".join(dice.choices(letters, k=dice.randrange(30)))
            for name in ("session_key", "encrypted_data", "iv"):
                with pytest.raises(UserDataError):
                    decrypt(**{name: text})

    def test_error_holds_none_of_the_values(self):
        secrets = (SESSION_KEY, ENCRYPTED_DATA, IV, "oUSER", "wx-of-another")
        for sealed in (sealed_with({"appid": "wx-of-another"}), seal('{"openId": "oUSER"'), ENCRYPTED_DATA[:-1]):
            with pytest.raises(UserDataError) as caught:
                decrypt(sealed)
            for value in secrets:
                assert value not in f"{caught.value} {caught.value!r} {caught.value.args}"

    def test_error_is_of_the_client_family(self):
        with pytest.raises(ClientError):
            decrypt("")


class TestComputeRawDataSignature:
    def test_gives_the_published_signature(self):
        assert compute_raw_data_signature(RAW_DATA, RAW_DATA_KEY) == RAW_DATA_SIGNATURE

    @no_text
    def test_refuses_what_is_not_text(self, value):
        with pytest.raises(UserDataError, match="raw_data"):
            compute_raw_data_signature(value, RAW_DATA_KEY)
        with pytest.raises(UserDataError, match="session_key"):
            compute_raw_data_signature(RAW_DATA, value)

    def test_refuses_empty_session_key(self):
        with pytest.raises(UserDataError, match="session_key is empty"):
            compute_raw_data_signature(RAW_DATA, "")


FORGED = {
    "cut": RAW_DATA_SIGNATURE[:-1],
    "longer": RAW_DATA_SIGNATURE + "0",
    "in_upper_case": RAW_DATA_SIGNATURE.upper(),
    "of_another_text": compute_raw_data_signature(RAW_DATA + " ", RAW_DATA_KEY),
    "with_another_key": compute_raw_data_signature(RAW_DATA, SESSION_KEY),
    "empty": "",
    "not_ascii": "１" * 40,
    "bytes_of_the_right_one": RAW_DATA_SIGNATURE.encode(),
    **NO_TEXT,
}


class TestVerifyRawData:
    def test_accepts_the_published_sample(self):
        verify_raw_data(RAW_DATA, RAW_DATA_KEY, signature=RAW_DATA_SIGNATURE)  # raises nothing

    @each_row("signature", FORGED)
    def test_rejects_forged_signature(self, signature):
        with pytest.raises(UserDataError, match="does not match"):
            verify_raw_data(RAW_DATA, RAW_DATA_KEY, signature=signature)

    @no_text
    def test_rejects_value_that_is_not_text(self, value):
        with pytest.raises(UserDataError):
            verify_raw_data(value, RAW_DATA_KEY, signature=RAW_DATA_SIGNATURE)
        with pytest.raises(UserDataError):
            verify_raw_data(RAW_DATA, value, signature=RAW_DATA_SIGNATURE)

    def test_rejects_data_that_anyone_can_sign(self):
        with pytest.raises(UserDataError):
            verify_raw_data("", "", signature="da39a3ee5e6b4b0d3255bfef95601890afd80709")

    def test_error_holds_none_of_the_values(self):
        forged = "0" * 40
        with pytest.raises(UserDataError) as caught:
            verify_raw_data(RAW_DATA, RAW_DATA_KEY, signature=forged)
        for value in (RAW_DATA, RAW_DATA_KEY, RAW_DATA_SIGNATURE, forged):
            assert value not in f"{caught.value} {caught.value!r} {caught.value.args}"

    def test_explains_a_session_key_whose_plus_has_become_a_blank(self):
        with pytest.raises(UserDataError, match="spaces where"):
            verify_raw_data(RAW_DATA, RAW_DATA_KEY.replace("V", " ", 1), signature=RAW_DATA_SIGNATURE)


class TestIsRawDataValid:
    def test_is_true_for_the_published_sample(self):
        assert is_raw_data_valid(RAW_DATA, RAW_DATA_KEY, signature=RAW_DATA_SIGNATURE) is True

    @each_row("signature", FORGED)
    def test_is_false_for_forged_signature(self, signature):
        assert is_raw_data_valid(RAW_DATA, RAW_DATA_KEY, signature=signature) is False

    @no_text
    def test_is_false_for_value_that_is_not_text(self, value):
        assert is_raw_data_valid(value, RAW_DATA_KEY, signature=RAW_DATA_SIGNATURE) is False
        assert is_raw_data_valid(RAW_DATA, value, signature=RAW_DATA_SIGNATURE) is False


class TestComputeSessionSignature:
    def test_gives_the_published_signature(self):
        """From the old page on signatures of the user's session, which also signed bodies."""
        signature = "654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b"
        assert compute_session_signature("o0q0otL8aEzpcZL/FT9WsQ==", '{"foo":"bar"}') == signature

    def test_signs_the_empty_body(self):
        signature = compute_session_signature("o0q0otL8aEzpcZL/FT9WsQ==", "")
        assert len(binascii.unhexlify(signature)) == 32

    @no_text
    def test_refuses_what_is_not_text(self, value):
        with pytest.raises(UserDataError, match="session_key"):
            compute_session_signature(value, "")
        with pytest.raises(UserDataError, match="body"):
            compute_session_signature(SESSION_KEY, value)

    def test_refuses_a_session_key_whose_plus_has_become_a_blank(self):
        with pytest.raises(UserDataError, match="spaces where"):
            compute_session_signature("o0q0 tL8aEzpcZL/FT9WsQ==", "")

    def test_refuses_empty_session_key(self):
        with pytest.raises(UserDataError, match="session_key is empty"):
            compute_session_signature("", "")


class TestComputePaySignature:
    def test_gives_the_published_signature(self):
        """From the Python script of WeChat's guide to virtual payment.

        https://developers.weixin.qq.com/miniprogram/dev/platform-capabilities/business-capabilities/virtual-payment.html
        """
        body = '{"openid": "xxx", "user_ip": "127.0.0.1", "env": 0}'
        signature = "c37809f27c6d7fd1837ad2500a04512b66b34fd793a39a385fade56dca89a4b5"
        assert compute_pay_signature("12345", "/xpay/query_user_balance", body) == signature

    @no_text
    def test_refuses_what_is_not_text(self, value):
        for arguments in ((value, "/xpay", "{}"), ("12345", value, "{}"), ("12345", "/xpay", value)):
            with pytest.raises(UserDataError):
                compute_pay_signature(*arguments)

    def test_refuses_empty_appkey(self):
        with pytest.raises(UserDataError, match="appkey is empty"):
            compute_pay_signature("", "/xpay/query_user_balance", "{}")
