import itertools

import pytest

from tests.helpers.first_principles import NONCE, TIMESTAMP, TOKEN, sign
from tests.helpers.rows import each_row
from tests.helpers.vectors import MSG_SIGNATURES, SIGNATURES, Vector
from wechat_msg import MalformedPush, PushError, SignatureMismatch
from wechat_msg.signature import (
    compute_msg_signature,
    compute_signature,
    is_msg_signature_valid,
    is_signature_valid,
    verify_msg_signature,
    verify_signature,
)

ENCRYPT = "+9/abcDEF=="
PLAIN = {"signature": sign(TOKEN, TIMESTAMP, NONCE), "timestamp": TIMESTAMP, "nonce": NONCE}
SEALED = {
    "msg_signature": sign(TOKEN, TIMESTAMP, NONCE, ENCRYPT),
    "timestamp": TIMESTAMP,
    "nonce": NONCE,
    "encrypt": ENCRYPT,
}
NO_TEXT = {
    "none": None,
    "empty": "",
    "bytes": b"1714036504",
    "number": 1714036504,
    "list": ["1714036504"],
    "lone_surrogate": "\ud800",
}

signatures = each_row("vector", SIGNATURES)
msg_signatures = each_row("vector", MSG_SIGNATURES)
no_text = each_row("value", NO_TEXT)


SPOILT = {
    "cut": lambda signature: signature[:-1],
    "longer": lambda signature: signature + "0",
    "with_line_end": lambda signature: signature + "\n",
    "in_upper_case": str.upper,
    "of_fullwidth_digits": lambda signature: "１" * 40,
    "reversed": lambda signature: signature[::-1],
    "changed_at_its_start": lambda signature: ("0" if signature[0] != "0" else "1") + signature[1:],
    "changed_at_its_end": lambda signature: signature[:-1] + ("0" if signature[-1] != "0" else "1"),
}
spoilt = each_row("spoil", SPOILT)


class TestComputeSignature:
    @each_row("part", [None, b"token", 1714036504, ["token"], "\ud800"])
    def test_refuses_what_is_not_text(self, part):
        with pytest.raises(MalformedPush):
            compute_signature("token", part)

    @signatures
    def test_gives_the_published_signature(self, vector: Vector):
        assert compute_signature(vector.token, vector.timestamp, vector.nonce) == vector.signature

    def test_does_not_depend_on_the_order_of_the_parts(self):
        parts = ("spamtest", "1409735669", "B52", "+/==")
        assert {compute_signature(*order) for order in itertools.permutations(parts)} == {sign(*parts)}

    @pytest.mark.parametrize(
        "parts", [("b", "A", "a", "B"), ("1", "+", "/", "Z"), ("\uffff", "\U00010000"), ("10", "9")]
    )
    def test_sorts_by_bytes_not_by_language_or_number(self, parts):
        assert compute_signature(*parts) == sign(*parts)

    def test_joins_without_separator(self):
        assert compute_signature("ab", "c") == compute_signature("a", "bc") == compute_signature("abc")


class TestComputeMsgSignature:
    @each_row("name", ["timestamp", "nonce", "encrypt"])
    @each_row("value", [None, b"1", 1])
    def test_refuses_what_is_not_text(self, name, value):
        with pytest.raises(MalformedPush):
            compute_msg_signature(TOKEN, **{"timestamp": TIMESTAMP, "nonce": NONCE, "encrypt": ENCRYPT, name: value})

    @msg_signatures
    def test_gives_the_published_signature(self, vector: Vector):
        assert vector.msg_signature == compute_msg_signature(
            vector.token, timestamp=vector.timestamp, nonce=vector.nonce, encrypt=vector.encrypt
        )


class TestVerifySignature:
    def test_rejects_signature_made_with_other_token(self):
        with pytest.raises(SignatureMismatch):
            verify_signature("another", **PLAIN)

    @pytest.mark.parametrize("name", ["timestamp", "nonce"])
    def test_rejects_signature_made_over_other_values(self, name):
        with pytest.raises(SignatureMismatch):
            verify_signature(TOKEN, **{**PLAIN, name: PLAIN[name] + "0"})

    @spoilt
    def test_rejects_spoilt_signature(self, spoil):
        with pytest.raises(SignatureMismatch):
            verify_signature(TOKEN, **{**PLAIN, "signature": spoil(PLAIN["signature"])})

    @each_row("name", [*PLAIN])
    @no_text
    def test_rejects_value_that_is_missing_or_not_text(self, name, value):
        with pytest.raises(SignatureMismatch):
            verify_signature(TOKEN, **{**PLAIN, name: value})

    @no_text
    def test_rejects_token_that_is_missing_or_not_text(self, value):
        with pytest.raises(SignatureMismatch):
            verify_signature(value, **PLAIN)

    @pytest.mark.parametrize("empty", ["token", "timestamp", "nonce"])
    def test_rejects_signature_over_an_empty_value(self, empty):
        """With an empty Token, anyone could sign."""
        values = {"token": TOKEN, "timestamp": TIMESTAMP, "nonce": NONCE, empty: ""}
        signature = sign(*values.values())
        with pytest.raises(SignatureMismatch):
            verify_signature(values.pop("token"), signature=signature, **values)

    def test_error_holds_none_of_the_values(self):
        values = {**PLAIN, "nonce": "anotherNonce"}
        with pytest.raises(SignatureMismatch) as caught:
            verify_signature(TOKEN, **values)
        for value in (TOKEN, *values.values()):
            assert value not in f"{caught.value} {caught.value!r} {caught.value.args}"

    def test_error_is_of_the_push_family(self):
        with pytest.raises(PushError):
            verify_signature("another", **PLAIN)

    @signatures
    def test_accepts_published_signature(self, vector: Vector):
        verify_signature(
            vector.token, signature=vector.signature, timestamp=vector.timestamp, nonce=vector.nonce
        )  # raises nothing


class TestVerifyMsgSignature:
    def test_rejects_signature_made_with_other_token(self):
        with pytest.raises(SignatureMismatch):
            verify_msg_signature("another", **SEALED)

    @pytest.mark.parametrize("name", ["timestamp", "nonce", "encrypt"])
    def test_rejects_signature_made_over_other_values(self, name):
        with pytest.raises(SignatureMismatch):
            verify_msg_signature(TOKEN, **{**SEALED, name: SEALED[name] + "0"})

    def test_rejects_signature_that_does_not_cover_encrypt(self):
        with pytest.raises(SignatureMismatch):
            verify_msg_signature(TOKEN, **{**SEALED, "msg_signature": PLAIN["signature"]})

    @pytest.mark.parametrize("changed", ["9/abcDEF==", " 9/abcDEF==", "+9/abcDEF", "+9/abcDEF==\n"])
    def test_rejects_encrypt_that_was_normalised(self, changed):
        with pytest.raises(SignatureMismatch):
            verify_msg_signature(TOKEN, **{**SEALED, "encrypt": changed})

    @spoilt
    def test_rejects_spoilt_signature(self, spoil):
        with pytest.raises(SignatureMismatch):
            verify_msg_signature(TOKEN, **{**SEALED, "msg_signature": spoil(SEALED["msg_signature"])})

    @each_row("name", [*SEALED])
    @no_text
    def test_rejects_value_that_is_missing_or_not_text(self, name, value):
        with pytest.raises(SignatureMismatch):
            verify_msg_signature(TOKEN, **{**SEALED, name: value})

    @pytest.mark.parametrize("empty", ["token", "timestamp", "nonce", "encrypt"])
    def test_rejects_signature_over_an_empty_value(self, empty):
        values = {"token": TOKEN, "timestamp": TIMESTAMP, "nonce": NONCE, "encrypt": ENCRYPT, empty: ""}
        signature = sign(*values.values())
        with pytest.raises(SignatureMismatch):
            verify_msg_signature(values.pop("token"), msg_signature=signature, **values)

    def test_error_holds_none_of_the_values(self):
        values = {**SEALED, "nonce": "anotherNonce"}
        with pytest.raises(SignatureMismatch) as caught:
            verify_msg_signature(TOKEN, **values)
        for value in (TOKEN, *values.values()):
            assert value not in f"{caught.value} {caught.value!r} {caught.value.args}"

    @msg_signatures
    def test_accepts_published_signature(self, vector: Vector):
        verify_msg_signature(
            vector.token,
            msg_signature=vector.msg_signature,
            timestamp=vector.timestamp,
            nonce=vector.nonce,
            encrypt=vector.encrypt,
        )  # raises nothing


class TestIsSignatureValid:
    @each_row("name", [*PLAIN])
    @no_text
    def test_is_false_for_value_that_is_missing_or_not_text(self, name, value):
        assert is_signature_valid(TOKEN, **{**PLAIN, name: value}) is False

    @spoilt
    def test_is_false_for_spoilt_signature(self, spoil):
        assert is_signature_valid(TOKEN, **{**PLAIN, "signature": spoil(PLAIN["signature"])}) is False

    def test_is_false_for_other_token(self):
        assert is_signature_valid("another", **PLAIN) is False

    def test_is_true_for_the_signature_of_these_values(self):
        assert is_signature_valid(TOKEN, **PLAIN) is True


class TestIsMsgSignatureValid:
    @each_row("name", [*SEALED])
    @no_text
    def test_is_false_for_value_that_is_missing_or_not_text(self, name, value):
        assert is_msg_signature_valid(TOKEN, **{**SEALED, name: value}) is False

    @spoilt
    def test_is_false_for_spoilt_signature(self, spoil):
        assert is_msg_signature_valid(TOKEN, **{**SEALED, "msg_signature": spoil(SEALED["msg_signature"])}) is False

    def test_is_false_for_other_token(self):
        assert is_msg_signature_valid("another", **SEALED) is False

    def test_is_true_for_the_signature_of_these_values(self):
        assert is_msg_signature_valid(TOKEN, **SEALED) is True
