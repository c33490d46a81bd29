import copy
import pickle
import re
import time

import attrs
import pytest

from tests.helpers.first_principles import APPID, KEY, seal
from tests.helpers.rows import each_row
from wechat_msg import MINI_PROGRAM, OFFICIAL_ACCOUNT, PushError, PushSettings, SettingsError

TOKEN = "spamtest01"
OLD_TOKEN = "formerToken02"
OLD_KEY = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbA"

NO_TOKENS = {
    "empty": "",
    "none": None,
    "two_characters": "ab",
    "33_characters": "a" * 33,
    "with_blank": "spam test",
    "with_line_end": "spamtest\n",
    "with_hyphen": "spam-test",
    "not_ascii": "令牌令牌",
    "of_fullwidth_digits": "１２３４",
    "bytes": b"spamtest",
    "number": 12345,
}
NO_KEYS = {
    "42_characters": KEY[:-1],
    "44_characters": KEY + "A",
    "with_equals_sign": KEY + "=",
    "with_line_end": KEY + "\n",
    "not_ascii": "密" * 43,
    "bytes": KEY.encode(),
    "number": 1,
}
no_tokens = each_row("token", NO_TOKENS)
no_keys = each_row("key", NO_KEYS)


class TestPushSettings:
    def test_needs_a_token(self):
        with pytest.raises(SettingsError, match="token: must be 3 to 32"):
            PushSettings()

    @no_tokens
    def test_refuses_malformed_token(self, token):
        with pytest.raises(SettingsError):
            PushSettings(token=token)

    @no_tokens
    def test_refuses_malformed_previous_token(self, token):
        with pytest.raises(SettingsError):
            PushSettings(token=TOKEN, previous_tokens=[OLD_TOKEN, token])

    @no_keys
    def test_refuses_malformed_key(self, key):
        with pytest.raises(SettingsError):
            PushSettings(token=TOKEN, encoding_aes_key=key, appid=APPID)

    @no_keys
    def test_refuses_malformed_previous_key(self, key):
        with pytest.raises(SettingsError):
            PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID, previous_encoding_aes_keys=[OLD_KEY, key])

    @pytest.mark.parametrize("key", [None, ""])
    def test_refuses_empty_previous_key(self, key):
        with pytest.raises(SettingsError):
            PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID, previous_encoding_aes_keys=[key])

    def test_refuses_previous_keys_with_an_empty_key(self):
        with pytest.raises(SettingsError, match="previous_encoding_aes_keys"):
            PushSettings(token=TOKEN, encoding_aes_key="", appid=APPID, previous_encoding_aes_keys=[OLD_KEY])

    @each_row(
        ("key", "english", "chinese"),
        [
            (KEY + "=", "drop the trailing =", "去掉末尾的 ="),
            (KEY + "\n", "spaces or line ends around it", "首尾有空格或换行"),
            (f" {KEY}", "spaces or line ends around it", "首尾有空格或换行"),
            (f'"{KEY}"', "quotation marks", "引号"),
            ("密" * 43, "half-width letters", "半角"),
            ("0123456789abcdef" * 2, "AppSecret", "AppSecret"),
            ("wx0123456789abcdef", "looks like the AppID", "看起来是 AppID"),
            (KEY[:-1], "43 letters and digits", "43 位"),
        ],
    )
    @each_row("name", ["encoding_aes_key", "previous_encoding_aes_keys"])
    def test_names_what_is_wrong_with_a_key(self, key, english, chinese, name):
        keys = {"encoding_aes_key": KEY, name: key if name == "encoding_aes_key" else [key]}
        with pytest.raises(SettingsError) as caught:
            PushSettings(token=TOKEN, appid=APPID, **keys)
        assert english in str(caught.value)
        assert chinese in caught.value.hint
        assert key not in str(caught.value)

    @each_row(
        ("token", "english", "chinese"),
        [
            (f"{TOKEN}\n", "token: must be 3 to 32 letters and digits; remove the spaces", "首尾有空格或换行"),
            (f"'{TOKEN}'", "quotation marks", "引号"),
            ("１２３４", "half-width letters", "半角"),
            (KEY, "looks like the EncodingAESKey", "EncodingAESKey"),
            ("spam-test", "3 to 32 letters and digits", "3 到 32 位"),
        ],
    )
    def test_names_what_is_wrong_with_a_token(self, token, english, chinese):
        with pytest.raises(SettingsError) as caught:
            PushSettings(token=token)
        assert english in str(caught.value)
        assert chinese in caught.value.hint
        assert token not in str(caught.value)

    @each_row(
        ("setting", "value"),
        [
            ("token", "x"),
            ("encoding_aes_key", "x"),
            ("appid", "wx 1"),
            ("extra_appids", ["wx 1"]),
            ("previous_tokens", ["x"]),
            ("previous_encoding_aes_keys", ["x"]),
            ("allow_plaintext", 1),
            ("max_age", 0),
            ("max_body", "1"),
            ("account_kind", "x"),
            ("identity", "a:b"),
        ],
    )
    def test_names_the_setting_that_is_malformed(self, setting, value):
        with pytest.raises(SettingsError, match=f"^{setting}: ") as caught:
            PushSettings(**{"token": TOKEN, "encoding_aes_key": KEY, "appid": APPID, setting: value})
        assert caught.value.setting == setting
        assert pickle.loads(pickle.dumps(caught.value)).setting == setting

    def test_names_the_blank_around_an_appid(self):
        with pytest.raises(SettingsError, match=r"appid.*spaces"):
            PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=f"{APPID}\n")

    @each_row("appid", [None, "", "wx 1", "公众号", 1])
    def test_refuses_key_without_a_usable_appid(self, appid):
        with pytest.raises(SettingsError):
            PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=appid)

    @pytest.mark.parametrize("appid", ["", "wx 1", "公众号", None])
    def test_refuses_unusable_extra_appid(self, appid):
        with pytest.raises(SettingsError):
            PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID, extra_appids=[appid])

    def test_refuses_previous_keys_without_a_key(self):
        with pytest.raises(SettingsError):
            PushSettings(token=TOKEN, previous_encoding_aes_keys=[OLD_KEY])

    @each_row("name", ["previous_tokens", "previous_encoding_aes_keys", "extra_appids"])
    @each_row("value", [OLD_KEY, None, 1])
    def test_refuses_one_text_where_a_list_is_needed(self, name, value):
        with pytest.raises(SettingsError):
            PushSettings(**{"token": TOKEN, "encoding_aes_key": KEY, "appid": APPID, name: value})

    @each_row("value", [0, -1, "300", True, float("nan")])
    def test_refuses_a_max_age_that_is_not_a_positive_number(self, value):
        with pytest.raises(SettingsError, match="max_age"):
            PushSettings(token=TOKEN, max_age=value)

    @each_row("value", [0, -1, "1024", True, None])
    def test_refuses_a_max_body_that_is_not_a_positive_number(self, value):
        with pytest.raises(SettingsError, match="max_body"):
            PushSettings(token=TOKEN, max_body=value)

    @pytest.mark.parametrize("value", ["0", "false", 1, None])
    def test_refuses_allow_plaintext_that_is_no_bool(self, value):
        """The text ``"0"`` is true, and would silently allow plain pushes."""
        with pytest.raises(SettingsError, match="allow_plaintext"):
            PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID, allow_plaintext=value)

    @pytest.mark.parametrize("value", ["wecom", None, 1])
    def test_refuses_unknown_account_kind(self, value):
        with pytest.raises(SettingsError, match="account_kind"):
            PushSettings(token=TOKEN, account_kind=value)

    def test_error_is_a_value_error_and_of_the_push_family(self):
        with pytest.raises(SettingsError) as caught:
            PushSettings(token="")
        assert isinstance(caught.value, ValueError)
        assert isinstance(caught.value, PushError)

    @each_row(
        "values",
        [
            {"token": "secret-token"},
            {"token": TOKEN, "previous_tokens": ["secret-token"]},
            {"token": TOKEN, "encoding_aes_key": "secret-token", "appid": APPID},
            {"token": TOKEN, "encoding_aes_key": KEY},
            {"token": TOKEN, "encoding_aes_key": KEY, "appid": APPID, "previous_encoding_aes_keys": ["secret-token"]},
            {"token": TOKEN, "encoding_aes_key": KEY, "appid": APPID, "extra_appids": ["secret token"]},
        ],
    )
    def test_error_holds_no_secret(self, values):
        with pytest.raises(SettingsError) as caught:
            PushSettings(**values)
        text = f"{caught.value} {caught.value!r} {caught.value.args}"
        for secret in ("secret", TOKEN, KEY):
            assert secret not in text

    def test_repr_and_str_hold_no_secret(self):
        settings = PushSettings(
            token=TOKEN,
            encoding_aes_key=KEY,
            appid=APPID,
            previous_tokens=[OLD_TOKEN],
            previous_encoding_aes_keys=[OLD_KEY],
        )
        text = f"{settings!r} {settings} {settings.ciphers!r} {[settings]}"
        assert APPID in text
        for secret in (TOKEN, OLD_TOKEN, KEY, OLD_KEY):
            assert secret not in text

    def test_cannot_be_changed(self):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            PushSettings(token=TOKEN).token = "another"

    @pytest.mark.parametrize("token", ["abc", "a" * 32, "0123456789", "ABCxyz019"])
    def test_accepts_3_to_32_letters_and_digits_as_token(self, token):
        assert PushSettings(token=token).tokens == (token,)

    @pytest.mark.parametrize("last", "EFGH")
    def test_accepts_key_with_any_last_character(self, last):
        settings = PushSettings(token=TOKEN, encoding_aes_key=KEY[:-1] + last, appid=APPID)
        assert settings.ciphers[0].decrypt(seal(b"content")) == b"content"

    def test_has_no_cipher_without_a_key(self):
        assert PushSettings(token=TOKEN, appid=APPID).ciphers == ()

    @pytest.mark.parametrize("name", ["encoding_aes_key", "appid"])
    def test_reads_empty_text_as_none_as_from_env_does(self, name):
        settings = PushSettings(**{"token": TOKEN, name: ""})
        assert getattr(settings, name) is None
        assert settings == PushSettings(token=TOKEN)
        assert settings == PushSettings.from_env(environ={"WECHAT_TOKEN": TOKEN, f"WECHAT_{name.upper()}": ""})

    def test_reads_an_empty_identity_as_none(self):
        assert PushSettings(token=TOKEN, appid=APPID, identity="").identity == APPID

    def test_puts_the_newest_token_and_key_first(self):
        settings = PushSettings(
            token=TOKEN,
            encoding_aes_key=KEY,
            appid=APPID,
            previous_tokens=[OLD_TOKEN],
            previous_encoding_aes_keys=[OLD_KEY],
        )
        assert settings.tokens == (TOKEN, OLD_TOKEN)
        newest, former = settings.ciphers
        assert newest.decrypt(seal(b"new")) == b"new"
        assert former.decrypt(seal(b"old", key=OLD_KEY)) == b"old"

    def test_accepts_any_iterable_as_a_list(self):
        settings = PushSettings(token=TOKEN, previous_tokens=iter([OLD_TOKEN]), extra_appids={"wx1"})
        assert settings.previous_tokens == (OLD_TOKEN,)
        assert settings.extra_appids == frozenset(["wx1"])

    @pytest.mark.parametrize("kind", [MINI_PROGRAM, "mini_program"])
    def test_accepts_the_name_of_an_account_kind(self, kind):
        assert PushSettings(token=TOKEN, account_kind=kind).account_kind is MINI_PROGRAM

    def test_is_for_an_official_account_by_default(self):
        assert PushSettings(token=TOKEN).account_kind is OFFICIAL_ACCOUNT

    def test_compares_by_value(self):
        settings = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
        same = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
        assert settings == same
        assert hash(settings) == hash(same)
        assert settings != PushSettings(token=TOKEN, encoding_aes_key=OLD_KEY, appid=APPID)

    def test_gets_new_ciphers_when_it_is_evolved(self):
        settings = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
        evolved = attrs.evolve(settings, encoding_aes_key=OLD_KEY, token=OLD_TOKEN)
        assert evolved.tokens == (OLD_TOKEN,)
        assert evolved.ciphers[0].decrypt(seal(b"content", key=OLD_KEY)) == b"content"

    def test_may_be_copied(self):
        settings = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID)
        assert copy.copy(settings) == settings


class TestIdentity:
    def test_is_what_was_given(self):
        settings = PushSettings(token=TOKEN, encoding_aes_key=KEY, appid=APPID, identity="shop.1-test_2")
        assert settings.identity == "shop.1-test_2"

    @pytest.mark.parametrize("key", [KEY, None])
    def test_is_the_appid_if_none_was_given(self, key):
        assert PushSettings(token=TOKEN, encoding_aes_key=key, appid=APPID).identity == APPID

    def test_is_made_of_the_token_if_there_is_neither(self):
        identity = PushSettings(token=TOKEN).identity
        assert identity == PushSettings(token=TOKEN).identity
        assert identity != PushSettings(token=OLD_TOKEN).identity
        assert re.fullmatch(r"token-[0-9a-f]{32}", identity)

    def test_takes_long_to_find_by_trying_all_tokens(self):
        """A Token may have three letters, which a million tries a second find at once."""
        settings = PushSettings(token=TOKEN)
        begun = time.perf_counter()
        assert settings.identity
        assert time.perf_counter() - begun > 0.01

    def test_of_a_token_is_made_once_and_when_it_is_needed(self):
        settings = PushSettings(token=TOKEN)
        assert settings.identity is settings.identity

    def test_depends_neither_on_further_appids_nor_on_previous_tokens_and_keys(self):
        more = {"previous_tokens": [OLD_TOKEN], "extra_appids": ["wx1"]}
        assert PushSettings(token=TOKEN, **more).identity == PushSettings(token=TOKEN).identity
        rotating = PushSettings(
            token=TOKEN, encoding_aes_key=KEY, appid=APPID, previous_encoding_aes_keys=[OLD_KEY], **more
        )
        assert rotating.identity == APPID

    def test_is_kept_or_derived_again_when_the_settings_are_evolved(self):
        settings = PushSettings(token=TOKEN)
        assert settings.identity != attrs.evolve(settings, token=OLD_TOKEN).identity
        assert attrs.evolve(settings, appid=APPID).identity == APPID
        named = attrs.evolve(settings, identity="shop")
        assert attrs.evolve(named, token=OLD_TOKEN, appid=APPID).identity == "shop"

    @each_row("name", ["identity", "appid"])
    @each_row("value", [" ", "a b", "a:b", "a\n", "公众号", "a" * 65, 1, b"shop", ["shop"]])
    def test_that_cannot_stand_in_a_key_is_refused(self, name, value):
        with pytest.raises(SettingsError, match=f"{name}: must be 1 to 64"):
            PushSettings(token=TOKEN, **{name: value})

    def test_cannot_be_changed(self):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            PushSettings(token=TOKEN).identity = "shop"

    def test_survives_a_copy_and_a_pickle(self):
        settings = PushSettings(token=TOKEN, identity="shop")
        assert settings.identity == "shop"
        for copied in (copy.deepcopy(settings), pickle.loads(pickle.dumps(settings))):
            assert (copied, copied.identity) == (settings, "shop")


class TestFromEnv:
    @pytest.mark.parametrize("prefix", ["WECHAT_", "MY_BOT_", ""])
    def test_names_the_missing_token_with_its_prefix(self, prefix):
        with pytest.raises(SettingsError, match=rf"\b{prefix}TOKEN\b"):
            PushSettings.from_env(prefix, environ={"TOKEN_OF_ANOTHER": TOKEN})

    @pytest.mark.parametrize("value", ["", "  ", "\n"])
    def test_reads_a_blank_variable_as_missing(self, value):
        with pytest.raises(SettingsError, match=r"\bWECHAT_TOKEN\b"):
            PushSettings.from_env(environ={"WECHAT_TOKEN": value})

    @pytest.mark.parametrize("prefix", ["WECHAT_", "MY_BOT_"])
    def test_names_the_missing_appid_when_there_is_a_key(self, prefix):
        with pytest.raises(SettingsError, match=rf"\b{prefix}APPID\b"):
            PushSettings.from_env(prefix, environ={f"{prefix}TOKEN": TOKEN, f"{prefix}ENCODING_AES_KEY": KEY})

    @each_row(
        ("name", "value"),
        [
            ("MAX_AGE", "5 minutes"),
            ("MAX_AGE", "-1"),
            ("MAX_AGE", "３００"),
            ("MAX_AGE", "0"),
            ("MAX_BODY", "1MB"),
            ("MAX_BODY", "1e6"),
            ("MAX_BODY", "9" * 5000),
            ("ALLOW_PLAINTEXT", "yes"),
            ("ALLOW_PLAINTEXT", "2"),
            ("ACCOUNT_KIND", "wecom"),
            ("IDENTITY", "my shop"),
            ("TOKEN", "secret-token"),
            ("PREVIOUS_TOKENS", "secret-token"),
            ("ENCODING_AES_KEY", "secret-key"),
            ("PREVIOUS_ENCODING_AES_KEYS", f"{OLD_KEY},secret-key"),
            ("APPID", "wx 1"),
            ("EXTRA_APPIDS", "wx1,wx 2"),
        ],
    )
    def test_names_the_variable_that_is_malformed_and_not_its_value(self, name, value):
        environ = {"WECHAT_TOKEN": TOKEN, "WECHAT_ENCODING_AES_KEY": KEY, "WECHAT_APPID": APPID}
        with pytest.raises(SettingsError, match=f"^WECHAT_{name}: .+（.+）$") as caught:
            PushSettings.from_env(environ={**environ, f"WECHAT_{name}": value})
        assert caught.value.setting == f"WECHAT_{name}"
        assert value not in str(caught.value) or value == "0"
        assert TOKEN not in str(caught.value)

    def test_reads_every_variable(self):
        environ = {
            "WECHAT_TOKEN": f" {TOKEN}\n",
            "WECHAT_ENCODING_AES_KEY": KEY,
            "WECHAT_APPID": APPID,
            "WECHAT_EXTRA_APPIDS": "wx1, wx2,",
            "WECHAT_PREVIOUS_TOKENS": f"{OLD_TOKEN},another",
            "WECHAT_PREVIOUS_ENCODING_AES_KEYS": OLD_KEY,
            "WECHAT_MAX_AGE": "300",
            "WECHAT_MAX_BODY": "65536",
            "WECHAT_ALLOW_PLAINTEXT": "1",
            "WECHAT_ACCOUNT_KIND": "mini_program",
            "WECHAT_IDENTITY": "shop",
        }
        assert PushSettings.from_env(environ=environ) == PushSettings(
            token=TOKEN,
            encoding_aes_key=KEY,
            appid=APPID,
            extra_appids=["wx1", "wx2"],
            previous_tokens=[OLD_TOKEN, "another"],
            previous_encoding_aes_keys=[OLD_KEY],
            max_age=300,
            max_body=65536,
            allow_plaintext=True,
            account_kind=MINI_PROGRAM,
            identity="shop",
        )

    def test_names_what_is_wrong_with_a_key_as_the_constructor_does(self):
        environ = {"WECHAT_TOKEN": TOKEN, "WECHAT_ENCODING_AES_KEY": KEY + "=", "WECHAT_APPID": APPID}
        with pytest.raises(SettingsError, match=r"WECHAT_.*drop the trailing =") as caught:
            PushSettings.from_env(environ=environ)
        assert "去掉末尾的 =" in caught.value.hint

    @pytest.mark.parametrize(("value", "flag"), [("1", True), ("0", False), ("true", True), ("False", False)])
    def test_reads_a_flag(self, value, flag):
        environ = {"WECHAT_TOKEN": TOKEN, "WECHAT_ALLOW_PLAINTEXT": value}
        assert PushSettings.from_env(environ=environ).allow_plaintext is flag

    def test_has_the_same_defaults(self):
        assert PushSettings.from_env(environ={"WECHAT_TOKEN": TOKEN}) == PushSettings(token=TOKEN)

    def test_reads_the_environment_of_the_process(self, monkeypatch):
        monkeypatch.setenv("MY_BOT_TOKEN", TOKEN)
        assert PushSettings.from_env("MY_BOT_").token == TOKEN

    @pytest.mark.parametrize("required", [["encoding_key"], "appid", ["ENCODING_AES_KEY"]])
    def test_refuses_to_require_what_there_is_not(self, required):
        with pytest.raises(SettingsError, match="required"):
            PushSettings.from_env(required=required, environ={"WECHAT_TOKEN": TOKEN})

    def test_names_every_variable_that_was_required_and_is_missing(self):
        with pytest.raises(SettingsError) as caught:
            PushSettings.from_env("BOT_", required=["encoding_aes_key", "appid"], environ={"BOT_MAX_AGE": "300"})
        for variable in ("BOT_TOKEN", "BOT_ENCODING_AES_KEY", "BOT_APPID"):
            assert variable in str(caught.value)


class TestCloudRun:
    def test_needs_an_appid_and_no_token(self):
        settings = PushSettings(appid=APPID, cloud_run=True)
        assert (settings.identity, settings.tokens, settings.ciphers) == (APPID, (), ())
        for appid in (None, ""):
            with pytest.raises(SettingsError, match="cloud_run: is set, but appid is not"):
                PushSettings(appid=appid, cloud_run=True)

    def test_does_not_use_a_token(self):
        assert PushSettings(token=TOKEN, appid=APPID, cloud_run=True).identity == APPID
        with pytest.raises(SettingsError, match="token"):
            PushSettings(token="ab", appid=APPID, cloud_run=True)

    def test_may_have_an_identity_of_its_own(self):
        assert PushSettings(appid=APPID, cloud_run=True, identity="shop").identity == "shop"

    @each_row(("name", "value"), [("encoding_aes_key", KEY), ("max_age", 300)])
    def test_excludes_what_could_not_be_checked(self, name, value):
        with pytest.raises(SettingsError, match=f"{name}: must not be set with cloud_run"):
            PushSettings(token=TOKEN, appid=APPID, cloud_run=True, **{name: value})

    @each_row("value", [1, "1", "false", None])
    def test_is_a_flag(self, value):
        with pytest.raises(SettingsError, match="cloud_run"):
            PushSettings(token=TOKEN, appid=APPID, cloud_run=value)

    def test_is_read_from_the_environment(self):
        environ = {"WECHAT_APPID": APPID, "WECHAT_CLOUD_RUN": "1"}
        assert PushSettings.from_env(environ=environ) == PushSettings(appid=APPID, cloud_run=True)
        with pytest.raises(SettingsError, match="WECHAT_APPID"):
            PushSettings.from_env(environ={"WECHAT_CLOUD_RUN": "1"})
        with pytest.raises(SettingsError, match="WECHAT_TOKEN"):
            PushSettings.from_env(environ={**environ, "WECHAT_CLOUD_RUN": "0"})


class TestLists:
    @each_row("name", ["extra_appids", "previous_tokens", "previous_encoding_aes_keys"])
    @each_row("values", [[1, "wx1"], [None], [["wx1"]], [b"wx1"], [{}], "wx1", 5, None])
    @each_row("key", [None, KEY])
    def test_of_anything_but_texts_are_refused(self, name, values, key):
        with pytest.raises(SettingsError):
            PushSettings(token="spamtest", encoding_aes_key=key, appid="wx0123456789abcdef", **{name: values})
