"""The server settings (服务器配置) of one account: validated when built, no secrets in reprs and errors."""

from __future__ import annotations

import enum
import functools
import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import attrs
from attrs import field

from wechat_msg._mistakes import AROUND, TOKEN, explain_setting
from wechat_msg._tracebacks import clears_locals, frozen
from wechat_msg.crypto import MessageCipher, encode_appid, parse_encoding_aes_key
from wechat_msg.errors import SettingsError

__all__ = ["MINI_PROGRAM", "OFFICIAL_ACCOUNT", "AccountKind", "PushSettings"]

_TOKEN = re.compile(r"[A-Za-z0-9]{3,32}", re.ASCII)
#: No colon, which ends the identity in the keys of a store.
_IDENTITY = re.compile(r"[!-9;-~]{1,64}", re.ASCII)
_WHOLE_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)


class AccountKind(enum.Enum):
    """Kind of the account that the pushes come from; it decides which replies are valid."""

    OFFICIAL_ACCOUNT = "official_account"
    MINI_PROGRAM = "mini_program"


OFFICIAL_ACCOUNT = AccountKind.OFFICIAL_ACCOUNT
"""公众号: all replies are valid."""
MINI_PROGRAM = AccountKind.MINI_PROGRAM
"""小程序: only acknowledgements and transfer_customer_service are valid."""


def _check_token(settings: PushSettings, attribute: attrs.Attribute[Any], tokens: Any) -> None:
    if tokens == "" and settings.cloud_run:
        return
    for token in (tokens,) if attribute.name == "token" else tokens:
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            rule, hint = "must be 3 to 32 letters and digits", "Token 必须为 3 到 32 位英文或数字"
            raise explain_setting(token, rule, hint, TOKEN, setting=attribute.name)


def _empty_to_none(text: str | None) -> str | None:
    return None if isinstance(text, str) and not text else text


def _check_identity(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, str) and _IDENTITY.fullmatch(value)):
        rule = "must be 1 to 64 printable ASCII characters without space and colon"
        hint = "1 到 64 个可见 ASCII 字符，不含空格和冒号"
        raise explain_setting(value, rule, hint, AROUND, setting=str(attribute.alias))


def _to_tuple(values: Iterable[str]) -> tuple[str, ...]:
    if not isinstance(values, str) and isinstance(values, Iterable):  # "abc" would become three Tokens
        texts = tuple(values)
        if all(isinstance(text, str) for text in texts):
            return texts
    raise SettingsError("extra_appids and previous_... must be lists of texts")


def _to_appids(values: Iterable[str]) -> frozenset[str]:
    appids = frozenset(_to_tuple(values))
    for appid in appids:
        encode_appid(appid, "extra_appids")
    return appids


def _to_keys(values: Iterable[str]) -> tuple[str, ...]:
    keys = _to_tuple(values)
    for key in keys:
        parse_encoding_aes_key(key, "previous_encoding_aes_keys")
    return keys


def _to_account_kind(kind: AccountKind | str) -> AccountKind:
    try:
        return AccountKind(kind if isinstance(kind, (str, AccountKind)) else "")
    except ValueError:
        hint = "应为 official_account（公众号）或 mini_program（小程序）"
        raise SettingsError("must be official_account or mini_program", hint=hint, setting="account_kind") from None


def _check_positive(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise SettingsError("must be a number greater than 0", hint="应为大于 0 的数", setting=attribute.name)


def _check_flag(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, bool):  # "0" and "false" are true
        raise SettingsError("must be True or False", hint="应为 True 或 False", setting=attribute.name)


def _check_cloud_run(settings: PushSettings, attribute: attrs.Attribute[Any], value: object) -> None:
    _check_flag(settings, attribute, value)
    if not value:
        return
    if settings.appid is None:
        raise SettingsError("is set, but appid is not", hint="设置了 cloud_run 就必须设置 AppID", setting="cloud_run")
    for name in ("encoding_aes_key", "max_age"):
        if getattr(settings, name) is not None:
            rule = "must not be set with cloud_run: pushes of Cloud Run are neither signed nor sealed"
            raise SettingsError(rule, hint="云托管的推送既不签名也不加密，不能与 cloud_run 同时设置", setting=name)


def _all_tokens(settings: PushSettings) -> tuple[str, ...]:
    return (settings.token, *settings.previous_tokens) if settings.token else ()


def _make_ciphers(settings: PushSettings) -> tuple[MessageCipher, ...]:
    """Return the ciphers of all keys, the newest first; this also validates keys and appids."""
    if settings.encoding_aes_key is None:
        if settings.previous_encoding_aes_keys:
            hint = "未设置 EncodingAESKey"
            raise SettingsError("is set, but encoding_aes_key is not", hint=hint, setting="previous_encoding_aes_keys")
        return ()
    if settings.appid is None:
        hint = "设置了 EncodingAESKey 就必须设置 AppID"
        raise SettingsError("is set, but appid is not", hint=hint, setting="encoding_aes_key")
    keys = (settings.encoding_aes_key, *settings.previous_encoding_aes_keys)
    return tuple(MessageCipher(key, settings.appid, extra_appids=settings.extra_appids) for key in keys)


@clears_locals
def _derive_identity(token: str) -> str:
    """Derive an identity from a Token. It takes 0.1 s and 32 MB, so that trying all short Tokens is too expensive."""
    derived = hashlib.scrypt(token.encode(), salt=b"wechat_msg identity", n=2**15, r=8, p=1, maxmem=2**26, dklen=16)
    return f"token-{derived.hex()}"


@clears_locals
@frozen
class PushSettings:
    """The server settings (服务器配置) of one account.

    Attributes:
        token: The Token, 3 to 32 letters and digits; required, but not used with cloud_run.
        encoding_aes_key: The EncodingAESKey, 43 characters. Without a key all sealed pushes are refused; with one, all
            plain pushes: the mode is configuration, never input. ``""`` counts as None, as in `from_env`.
        appid: The account's AppID; required with a key. ``""`` counts as None.
        extra_appids: Further ids that an envelope may end with, such as the appid of a third-party platform.
        previous_tokens: Tokens that are still accepted during a rotation; never used for sealing.
        previous_encoding_aes_keys: Keys that are still accepted during a rotation. The key of a push also seals its
            reply.
        allow_plaintext: Accept a push without ``Encrypt`` although a key is set, while the mode is being switched.
        max_age: Largest difference in seconds between now and a push's timestamp, in the sealed modes also its
            CreateTime. If it is None, neither is checked. WeChat re-sends for 20 s. The CreateTime of events that
            WeChat re-sends for hours may be one day old.
        max_body: Largest size of a body, in bytes.
        account_kind: OFFICIAL_ACCOUNT or MINI_PROGRAM; it decides which replies are valid.
        identity: Name of the account in a store that it shares with others: 1 to 64 printable ASCII characters without
            space and colon. The default is the appid or, without one, a digest of the Token, from which the Token
            cannot be guessed. Set it if an account without appid will change its Token, or if two bots of one account
            share a store. It does not depend on extra_appids and previous_tokens.
        cloud_run: Whether the pushes come from WeChat Cloud Run (云托管), unsigned and unsealed. Then everything that
            reaches the endpoint counts as genuine, so nothing but Cloud Run may reach it. Requires appid, and excludes
            encoding_aes_key and max_age.

    Raises:
        SettingsError: A value is missing or malformed. The text names the setting, never its value.

    Example:
        >>> PushSettings(token="spamtest", encoding_aes_key="A" * 43, appid="wx0123456789abcdef").appid
        'wx0123456789abcdef'

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html
    """

    token: str = field(default="", repr=False, validator=_check_token)
    encoding_aes_key: str | None = field(default=None, repr=False, converter=_empty_to_none)
    appid: str | None = field(default=None, converter=_empty_to_none, validator=_check_identity)
    extra_appids: frozenset[str] = field(default=frozenset(), converter=_to_appids)
    previous_tokens: tuple[str, ...] = field(default=(), repr=False, converter=_to_tuple, validator=_check_token)
    previous_encoding_aes_keys: tuple[str, ...] = field(default=(), repr=False, converter=_to_keys)
    allow_plaintext: bool = field(default=False, validator=_check_flag)
    max_age: float | None = field(default=None, validator=attrs.validators.optional(_check_positive))
    max_body: int = field(default=1 << 20, validator=_check_positive)
    account_kind: AccountKind = field(default=OFFICIAL_ACCOUNT, converter=_to_account_kind)
    _identity: str | None = field(
        default=None, alias="identity", repr=False, converter=_empty_to_none, validator=_check_identity
    )
    cloud_run: bool = field(default=False, validator=_check_cloud_run)
    #: All accepted Tokens, the newest first.
    tokens: tuple[str, ...] = field(
        init=False, repr=False, eq=False, default=attrs.Factory(_all_tokens, takes_self=True)
    )
    #: A cipher for each accepted key, the newest first; empty without a key.
    ciphers: tuple[MessageCipher, ...] = field(
        init=False, repr=False, eq=False, default=attrs.Factory(_make_ciphers, takes_self=True)
    )

    @functools.cached_property
    def identity(self) -> str:
        """The account's name in a store that it shares with others; see the class."""
        return self._identity or self.appid or _derive_identity(self.token)

    @classmethod
    @clears_locals
    def from_env(
        cls,
        prefix: str = "WECHAT_",
        *,
        required: Collection[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> PushSettings:
        """Read the settings from environment variables.

        ``WECHAT_TOKEN``, ``WECHAT_ENCODING_AES_KEY``, ``WECHAT_APPID``, ``WECHAT_EXTRA_APPIDS``,
        ``WECHAT_PREVIOUS_TOKENS``, ``WECHAT_PREVIOUS_ENCODING_AES_KEYS`` (lists with commas), ``WECHAT_MAX_AGE``,
        ``WECHAT_MAX_BODY``, ``WECHAT_ALLOW_PLAINTEXT`` (1 or 0), ``WECHAT_ACCOUNT_KIND``, ``WECHAT_IDENTITY`` and
        ``WECHAT_CLOUD_RUN`` (1 or 0).

        Args:
            prefix: Prefix of the names; use one for each account.
            required: Attributes that must be set in addition to the token; for the sealed mode (安全模式)
                ``encoding_aes_key`` and ``appid``. A key always needs the appid; Cloud Run needs it, but no Token.
            environ: The variables; ``os.environ`` if it is None.

        Raises:
            SettingsError: A variable is missing or malformed. The text names it.

        Example:
            >>> PushSettings.from_env(environ={})
            Traceback (most recent call last):
                ...
            wechat_msg.errors.SettingsError: environment variables missing: WECHAT_TOKEN（缺少环境变量：WECHAT_TOKEN）
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for name, read in _ENVIRONMENT.items():
            variable = prefix + name.upper()
            value = environ.get(variable, "").strip()
            if value:
                values[name] = read(variable, value)
        in_cloud_run = bool(values.get("cloud_run"))
        needed = {"appid" if in_cloud_run else "token", *required}
        needed |= {"appid"} if "encoding_aes_key" in values else set()
        if not needed <= _ENVIRONMENT.keys():  # a misspelt name would require nothing
            raise SettingsError("required must be names of attributes, such as encoding_aes_key")
        missing = [prefix + name.upper() for name in _ENVIRONMENT if name in needed and name not in values]
        if missing:
            names = ", ".join(missing)
            raise SettingsError(f"environment variables missing: {names}", hint=f"缺少环境变量：{names}")
        try:
            return cls(**values)
        except SettingsError as error:
            variable = f"{prefix}{error.setting.upper()}"
            raise SettingsError(*error.args, hint=error.hint, setting=variable) from None


def _read_text(_variable: str, value: str) -> str:
    return value


def _read_list(_variable: str, value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _read_number(variable: str, value: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(value):
        raise SettingsError("must be a whole number", hint="应为整数", setting=variable)
    return int(value)


def _read_flag(variable: str, value: str) -> bool:
    if value.lower() not in ("1", "0", "true", "false"):
        raise SettingsError("must be 1 or 0", hint="应为 1 或 0", setting=variable)
    return value.lower() in ("1", "true")


_ENVIRONMENT: Mapping[str, Callable[[str, str], Any]] = {
    "token": _read_text,
    "encoding_aes_key": _read_text,
    "appid": _read_text,
    "extra_appids": _read_list,
    "previous_tokens": _read_list,
    "previous_encoding_aes_keys": _read_list,
    "allow_plaintext": _read_flag,
    "max_age": _read_number,
    "max_body": _read_number,
    "account_kind": _read_text,
    "identity": _read_text,
    "cloud_run": _read_flag,
}
