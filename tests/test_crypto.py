import base64
import contextlib
import copy
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers.first_principles import APPID, KEY, RANDOM16, encrypt, fill, pad, seal, unseal
from tests.helpers.rows import each_row
from tests.helpers.vectors import ENVELOPES, Vector
from wechat_msg import (
    AppIdMismatch,
    DecryptError,
    MessageCipher,
    PushError,
    PushSettings,
    SettingsError,
    generate_encoding_aes_key,
    generate_token,
)
from wechat_msg.crypto import parse_encoding_aes_key

OTHER_KEY = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbA"
CONTENT = "<xml><Content><![CDATA[今天天气不错]]></Content></xml>".encode()

NO_KEYS = {
    "none": None,
    "empty": "",
    "42_characters": "A" * 42,
    "44_characters": "A" * 44,
    "with_equals_sign": "A" * 43 + "=",
    "with_line_end": "A" * 43 + "\n",
    "with_blank": " " + "A" * 42,
    "url_safe": "-_" + "A" * 41,
    "of_fullwidth_digits": "１" * 43,
    "of_letters_beyond_ascii": "é" * 43,
    "bytes": b"A" * 43,
    "number": 10**42,
    "aes_key_itself": bytes(32),
}
NO_APPIDS = {
    "none": None,
    "empty": "",
    "with_blank": "wx01 2345",
    "with_line_end": "wx0123456789abcdef\n",
    "not_ascii": "公众号",
    "bytes": b"wx0123456789abcdef",
}

envelopes = each_row("vector", ENVELOPES)
no_keys = each_row("key", NO_KEYS)
no_appids = each_row("appid", NO_APPIDS)


@pytest.fixture
def cipher() -> MessageCipher:
    return MessageCipher(KEY, APPID)


class TestParseEncodingAesKey:
    @no_keys
    def test_refuses_what_is_not_43_characters_of_base64(self, key):
        with pytest.raises(SettingsError):
            parse_encoding_aes_key(key)

    def test_error_does_not_hold_the_key(self):
        with pytest.raises(SettingsError) as caught:
            parse_encoding_aes_key(KEY[:-1])
        assert KEY[:-1] not in f"{caught.value} {caught.value!r} {caught.value.args}"

    @envelopes
    def test_gives_what_base64_gives_with_an_equals_sign(self, vector: Vector):
        assert parse_encoding_aes_key(vector.encoding_aes_key) == base64.b64decode(vector.encoding_aes_key + "=")

    @pytest.mark.parametrize(("canonical", "spellings"), [("A", "ABCD"), ("Q", "QRST"), ("8", "89+/")])
    def test_ignores_the_two_spare_bits_of_the_last_character(self, canonical, spellings):
        keys = {parse_encoding_aes_key(KEY[:-1] + last) for last in spellings}
        assert keys == {base64.b64decode(KEY[:-1] + canonical + "=")}


class TestGenerateEncodingAesKey:
    def test_makes_another_key_every_time(self):
        assert len({generate_encoding_aes_key() for _ in range(100)}) == 100

    def test_makes_letters_and_digits_that_stand_for_32_bytes(self):
        key = generate_encoding_aes_key()
        assert len(key) == 43
        assert key.isalnum()
        assert key.isascii()
        assert len(base64.b64decode(key + "=")) == 32


class TestGenerateToken:
    def test_makes_another_token_every_time(self):
        assert len({generate_token() for _ in range(100)}) == 100

    def test_makes_what_the_settings_accept(self):
        assert PushSettings(token=generate_token()).tokens


class TestMessageCipher:
    @no_keys
    def test_refuses_malformed_key(self, key):
        with pytest.raises(SettingsError):
            MessageCipher(key, APPID)

    @no_appids
    def test_refuses_malformed_appid(self, appid):
        with pytest.raises(SettingsError):
            MessageCipher(KEY, appid)

    @no_appids
    def test_refuses_malformed_extra_appid(self, appid):
        with pytest.raises(SettingsError):
            MessageCipher(KEY, APPID, extra_appids=[appid])

    def test_repr_of_an_envelope_does_not_show_what_is_in_it(self, cipher):
        envelope = cipher.open(cipher.encrypt(b"words of a user"))
        assert repr(envelope) == f"Envelope(appid={cipher.appid!r})"

    def test_repr_shows_the_appid_and_no_key(self, cipher):
        cipher.decrypt(cipher.encrypt(CONTENT))
        aes_key = base64.b64decode(KEY + "=")
        for text in (repr(cipher), str(cipher), f"{[cipher]}"):
            assert APPID in text
            for secret in (KEY, repr(aes_key), aes_key.hex()):
                assert secret not in text


class TestEncrypt:
    @each_row("appid", [appid for appid in NO_APPIDS.values() if appid is not None])
    def test_refuses_malformed_appid(self, cipher, appid):
        with pytest.raises(SettingsError):
            cipher.encrypt(CONTENT, appid=appid)

    @envelopes
    def test_gives_the_published_envelope(self, vector: Vector):
        cipher = MessageCipher(
            vector.encoding_aes_key, vector.receiver_id, random_bytes=lambda _: vector.random16.encode()
        )
        assert cipher.encrypt(vector.plaintext.encode()) == vector.encrypt

    @each_row("length", [*range(70), 1000, 65535, 65536, 1 << 20])
    def test_gives_the_same_envelope_as_a_fresh_aes_object(self, cipher, length):
        content = bytes(number % 251 for number in range(length))
        assert cipher.encrypt(content, random_bytes=lambda _: RANDOM16) == seal(content)

    def test_gives_the_same_envelope_again_and_again(self):
        """Messages that were sealed, opened or refused before leave no trace."""
        cipher = MessageCipher(KEY, APPID, random_bytes=lambda _: RANDOM16)
        for number in range(200):
            content = b"x" * number
            assert cipher.encrypt(content) == seal(content)
            assert cipher.encrypt(CONTENT) == seal(CONTENT)
            assert cipher.decrypt(seal(content)) == content
            with pytest.raises(DecryptError):
                cipher.decrypt(encrypt(bytes(number // 16 * 16 + 16)))

    def test_is_not_disturbed_by_a_random_source_that_fails(self, cipher):
        def fail(_):
            raise OSError

        cipher.encrypt(CONTENT)
        with pytest.raises(OSError):
            cipher.encrypt(CONTENT, random_bytes=fail)
        assert cipher.encrypt(CONTENT, random_bytes=lambda _: RANDOM16) == seal(CONTENT)

    def test_asks_for_16_random_bytes_and_puts_them_in_front(self):
        asked = []
        cipher = MessageCipher(KEY, APPID, random_bytes=lambda count: asked.append(count) or b"\xff" * count)
        assert cipher.encrypt(CONTENT) == seal(CONTENT, random16=b"\xff" * 16)
        assert asked == [16]

    def test_gives_another_envelope_every_time(self, cipher):
        assert len({cipher.encrypt(CONTENT) for _ in range(100)}) == 100

    def test_pads_a_full_block_with_32_bytes_more(self, cipher):
        content = b"x" * (64 - 20 - len(APPID))
        assert len(base64.b64decode(cipher.encrypt(content))) == 96

    @each_row("count", range(64))
    def test_gives_a_multiple_of_32_bytes(self, cipher, count):
        assert len(base64.b64decode(cipher.encrypt(b"x" * count))) % 32 == 0

    def test_gives_one_line_of_base64(self, cipher):
        text = cipher.encrypt(b"x" * 10_000)
        assert text == base64.b64encode(base64.b64decode(text, validate=True)).decode()

    def test_writes_the_given_appid_at_the_end(self, cipher):
        assert unseal(cipher.encrypt(CONTENT, appid="wxfedcba9876543210")) == (CONTENT, "wxfedcba9876543210")

    def test_counts_bytes_not_characters(self, cipher):
        assert unseal(cipher.encrypt("你好👋".encode())) == ("你好👋".encode(), APPID)


class TestDecrypt:
    @each_row("value", [None, b"", b"AAAA", 1, ["AAAA"], CONTENT])
    def test_refuses_what_is_not_text(self, cipher, value):
        with pytest.raises(DecryptError):
            cipher.decrypt(value)

    @each_row(
        "spoil",
        [
            lambda sealed: "",
            lambda sealed: "=",
            lambda sealed: sealed[:-1],
            lambda sealed: sealed[:-2],
            lambda sealed: sealed[1:],
            lambda sealed: sealed + "=",
            lambda sealed: sealed + "AAAA",
            lambda sealed: sealed + "\n",
            lambda sealed: " " + sealed,
            lambda sealed: sealed[:40] + "\r\n" + sealed[40:],
            lambda sealed: "=" + sealed,
            lambda sealed: sealed[:8] + "====" + sealed[8:],
            lambda sealed: sealed[:-4] + "A===",
            lambda sealed: sealed.replace(sealed[5], "-"),
            lambda sealed: sealed.replace(sealed[5], "_"),
            lambda sealed: sealed.replace(sealed[5], "密"),
            lambda sealed: sealed.replace(sealed[5], "\ud800"),
            lambda sealed: sealed.replace(sealed[5], "\0"),
        ],
    )
    def test_refuses_what_is_not_strict_base64(self, cipher, spoil):
        with pytest.raises(DecryptError):
            cipher.decrypt(spoil(seal(CONTENT)))

    @each_row("size", [*range(1, 16), 17, 31, 33, 47])
    def test_refuses_what_is_not_a_number_of_blocks(self, cipher, size):
        with pytest.raises(DecryptError):
            cipher.decrypt(base64.b64encode(bytes(size)).decode())

    def test_refuses_envelope_of_another_key(self, cipher):
        for count in range(300):
            with pytest.raises(PushError):
                cipher.decrypt(seal(b"x" * count, key=OTHER_KEY))

    @each_row("count", [0, *range(33, 256)])
    def test_refuses_padding_out_of_range(self, cipher, count):
        with pytest.raises(DecryptError):
            cipher.decrypt(encrypt(fill(b"x" * 218) + bytes([count]) * 256))

    @each_row("count", range(2, 33))
    def test_refuses_inconsistent_padding(self, cipher, count):
        plain = fill(b"x" * ((-count - len(fill(b""))) % 32 + 32)) + bytes([count]) * count
        assert cipher.decrypt(encrypt(plain))
        for index in range(len(plain) - count, len(plain) - 1):
            spoilt = bytearray(plain)
            spoilt[index] ^= 1
            with pytest.raises(DecryptError):
                cipher.decrypt(encrypt(bytes(spoilt)))

    @each_row("size", range(20))
    def test_refuses_envelope_without_room_for_the_length(self, cipher, size):
        with pytest.raises(DecryptError):
            cipher.decrypt(encrypt(pad(b"\0" * size)))

    @each_row("length", [len(CONTENT) + len(APPID) + 1, 1 << 16, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
    def test_refuses_length_beyond_the_end(self, cipher, length):
        with pytest.raises(DecryptError):
            cipher.decrypt(seal(CONTENT, length=length))

    @each_row("length", [0, 1, len(CONTENT) - 1, len(CONTENT) + 1, len(CONTENT) + len(APPID)])
    def test_refuses_length_that_leaves_another_appid(self, cipher, length):
        with pytest.raises(AppIdMismatch):
            cipher.decrypt(seal(CONTENT, length=length))

    @each_row("appid", ["", "wxfedcba9876543210", APPID + "0", APPID[:-1], APPID.upper(), APPID + "\0"])
    def test_refuses_foreign_appid(self, cipher, appid):
        with pytest.raises(AppIdMismatch):
            cipher.decrypt(seal(CONTENT, appid=appid))

    @envelopes
    def test_never_gives_the_content_of_an_envelope_with_a_flipped_bit(self, vector: Vector):
        """AES-CBC alone does not detect every flipped bit, as the signature does, but the content is never the same."""
        cipher = MessageCipher(vector.encoding_aes_key, vector.receiver_id)
        sealed = base64.b64decode(vector.encrypt)
        for index in range(len(sealed)):
            for bit in range(8):
                flipped = bytearray(sealed)
                flipped[index] ^= 1 << bit
                with contextlib.suppress(DecryptError, AppIdMismatch):
                    assert cipher.decrypt(base64.b64encode(flipped).decode()) != vector.plaintext.encode()
        assert cipher.decrypt(vector.encrypt) == vector.plaintext.encode()

    def test_error_holds_neither_key_nor_content(self, cipher):
        spoilt = [
            seal(CONTENT, appid="wxfedcba9876543210"),
            seal(CONTENT, length=9999),
            encrypt(bytes(64)),
            seal(CONTENT)[:-1],
            seal(CONTENT, key=OTHER_KEY),
        ]
        for sealed in spoilt:
            with pytest.raises(PushError) as caught:
                cipher.decrypt(sealed)
            text = f"{caught.value} {caught.value!r} {caught.value.args}"
            for secret in (KEY, sealed, "wxfedcba9876543210", APPID, "今天天气不错"):
                assert secret not in text

    @envelopes
    def test_opens_the_published_envelope(self, vector: Vector):
        cipher = MessageCipher(vector.encoding_aes_key, vector.receiver_id)
        assert cipher.decrypt(vector.encrypt) == vector.plaintext.encode()

    @pytest.mark.parametrize("last", "EFGH")
    def test_opens_with_every_spelling_of_the_key(self, last):
        cipher = MessageCipher(KEY[:-1] + last, APPID)
        assert cipher.decrypt(seal(CONTENT)) == CONTENT
        assert unseal(cipher.encrypt(CONTENT)) == (CONTENT, APPID)

    @each_row("count", range(1, 33))
    def test_opens_envelope_with_any_padding(self, cipher, count):
        content = b"x" * ((-count - len(fill(b""))) % 32)
        assert cipher.decrypt(seal(content)) == content

    def test_opens_envelope_after_any_number_of_spoilt_ones(self, cipher):
        for spoilt in (encrypt(bytes(64)), seal(CONTENT)[:-4], "AAAA", seal(CONTENT, appid="wx1"), "\0"):
            with pytest.raises(PushError):
                cipher.decrypt(spoilt)
            assert cipher.decrypt(seal(CONTENT)) == CONTENT


class TestOpen:
    def test_refuses_appid_that_is_not_among_the_extra_ones(self):
        with pytest.raises(AppIdMismatch):
            MessageCipher(KEY, APPID, extra_appids=["wx1", "wx2"]).open(seal(CONTENT, appid="wx3"))

    @pytest.mark.parametrize("appid", [APPID, "wx1", "wx2"])
    def test_returns_which_of_the_accepted_appids_it_found(self, appid):
        cipher = MessageCipher(KEY, APPID, extra_appids=["wx1", "wx2"])
        assert cipher.open(seal(CONTENT, appid=appid)) == (CONTENT, appid)


class TestThreads:
    def test_share_one_cipher(self):
        cipher = MessageCipher(KEY, APPID, random_bytes=lambda _: RANDOM16)
        lengths = [*range(0, 315, 7), 50_000, 60_000, 70_000, 80_000, 90_000]
        expected = {content: seal(content) for content in (b"x" * length for length in lengths)}

        def work(first: int) -> int:
            contents = list(expected)[first:] + list(expected)[:first]
            for content in contents * 10:
                assert cipher.encrypt(content) == expected[content]
                assert cipher.decrypt(expected[content]) == content
                with pytest.raises(DecryptError):
                    cipher.decrypt(expected[content][:-4])
            return len(contents) * 10

        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)  # a switch of threads wherever one is possible
        try:
            with ThreadPoolExecutor(8) as threads:
                assert sum(threads.map(work, range(8))) == 4000
        finally:
            sys.setswitchinterval(interval)


FORK = """
import os
from tests.helpers.first_principles import APPID, KEY, RANDOM16, seal
from wechat_msg import MessageCipher

def work(name):
    for number in range(300):
        content = name * number
        assert cipher.encrypt(content) == seal(content)
        assert cipher.decrypt(seal(content)) == content

cipher = MessageCipher(KEY, APPID, random_bytes=lambda _: RANDOM16)
work(b"before")
child = os.fork()
work(b"parent" if child else b"child")
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    work(b"after")
    print("fine")
"""


class TestFork:
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
    def test_leaves_both_processes_a_cipher_that_works(self):
        root = Path(__file__).parents[1]
        done = subprocess.run([sys.executable, "-c", FORK], cwd=root, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")


class TestCopies:
    @pytest.mark.parametrize("clone", [copy.deepcopy, lambda cipher: pickle.loads(pickle.dumps(cipher))])
    def test_a_copy_of_a_cipher_in_use_opens_what_the_original_sealed(self, clone):
        cipher = MessageCipher("A" * 43, "wx0123456789abcdef", extra_appids=["wx1"])
        sealed = [cipher.encrypt(b"one"), cipher.encrypt(b"two", appid="wx1")]
        cipher.decrypt(sealed[0])

        cloned = clone(cipher)

        assert [cloned.decrypt(each) for each in sealed] == [b"one", b"two"]
        assert cipher.decrypt(cloned.encrypt(b"three")) == b"three"
