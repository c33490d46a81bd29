"""小程序隐私设置: the privacy statement (用户隐私保护指引), which names all data that a Mini Program asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from wechat_msg.api._arguments import to_object, to_objects, without_none
from wechat_msg.api.call import Call, FileSource, Progress, post
from wechat_msg.api.media import make_upload
from wechat_msg.api.results import Member, Result, ResultOf, no_result
from wechat_msg.fields import items, model, nested, timestamp

__all__ = [
    "OwnerSetting",
    "PrivacyDesc",
    "PrivacyDescs",
    "PrivacyItem",
    "PrivacySetting",
    "get_privacy_setting",
    "set_privacy_setting",
    "upload_privacy_ext_file",
]


@model
class OwnerSetting:
    """How users reach the developer of a Mini Program. WeChat wants one contact at least (unconfirmed).

    Attributes:
        contact_email: Email address.
        contact_phone: Phone number.
        contact_qq: QQ number.
        contact_weixin: WeChat id.
        ext_file_media_id: Media id of a further document, from `upload_privacy_ext_file`.
        notice_method: How users learn of changes, such as ``弹窗`` (a dialogue).
        store_expire_timestamp: How long data are kept, a text.
    """

    contact_email: str | None = None
    contact_phone: str | None = None
    contact_qq: str | None = None
    contact_weixin: str | None = None
    ext_file_media_id: str | None = None
    notice_method: str | None = None
    store_expire_timestamp: str | None = None


@model
class PrivacyItem:
    """A kind of data that the Mini Program asks for.

    Attributes:
        privacy_key: The kind, such as ``UserInfo``.
        privacy_text: What the data are for.
        privacy_label: Name of the kind, only in answers.
    """

    privacy_key: str
    privacy_text: str | None = None
    privacy_label: str | None = None


@model
class PrivacyDesc:
    """A kind of data that WeChat knows: `privacy_key`, and its description `privacy_desc`."""

    privacy_key: str
    privacy_desc: str = ""


@model
class PrivacyDescs:
    """The kinds of data that WeChat knows: `privacy_desc_list`."""

    privacy_desc_list: tuple[PrivacyDesc, ...] = items("privacy_desc_list", PrivacyDesc)


@model
class PrivacySetting(Result):
    """The privacy statement of a Mini Program.

    Attributes:
        code_exist: Whether there is code, whose calls `privacy_list` lists.
        privacy_list: The kinds of data that the code asks for.
        setting_list: The kinds of data in the statement.
        update_time: Time of the last change, in seconds since the epoch.
        owner_setting: How users reach the developer.
        privacy_desc: The kinds of data that WeChat knows.
    """

    code_exist: bool | None = None
    privacy_list: tuple[str, ...] = items("privacy_list", str)
    setting_list: tuple[PrivacyItem, ...] = items("setting_list", PrivacyItem)
    update_time: int | None = timestamp("update_time", default=None)
    owner_setting: OwnerSetting | None = nested("owner_setting", OwnerSetting, default=None)
    privacy_desc: PrivacyDescs | None = nested("privacy_desc", PrivacyDescs, default=None)


def get_privacy_setting(*, privacy_ver: int | None = None) -> Call[PrivacySetting]:
    """查询用户隐私保护指引: get the privacy statement.

    Args:
        privacy_ver: 1 for that of the released version, 2 for that of the version in development (unconfirmed).

    Source:
        https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/privacy_config/get_privacy_setting.html
    """
    body = without_none(privacy_ver=privacy_ver)
    return post("/cgi-bin/component/getprivacysetting", body, ResultOf(PrivacySetting), is_repeatable=True)


def set_privacy_setting(
    owner_setting: OwnerSetting | Mapping[str, Any],
    *,
    setting_list: Iterable[PrivacyItem | Mapping[str, Any]] | None = None,
    privacy_ver: int | None = None,
) -> Call[None]:
    """设置用户隐私保护指引: set the privacy statement.

    Args:
        owner_setting: How users reach the developer.
        setting_list: The kinds of data, and what they are for.
        privacy_ver: As for `get_privacy_setting` (unconfirmed).

    Raises:
        CallError: *owner_setting* is neither an `OwnerSetting` nor a mapping, or *setting_list* is not a list of
            `PrivacyItem` or mappings.

    Source:
        https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/privacy_config/set_privacy_setting.html
    """
    body = without_none(
        privacy_ver=privacy_ver,
        owner_setting=to_object(owner_setting, OwnerSetting, "owner_setting"),
        setting_list=None if setting_list is None else to_objects(setting_list, PrivacyItem, "setting_list"),
    )
    return post("/cgi-bin/component/setprivacysetting", body, no_result, is_repeatable=True)


def upload_privacy_ext_file(
    file: FileSource, *, filename: str | None = None, progress: Progress | None = None
) -> Call[str]:
    """上传用户隐私保护指引文件: upload a further document of the privacy statement; the result is its media id.

    Type and size of the document, the name of the form field (``file``), and the name of the result
    (``ext_file_media_id``) are unconfirmed.

    Args:
        file: The bytes, a path, or a file object opened for reading bytes: plain text, 100 KB.
        filename: As for `wechat_msg.api.media.upload`.
        progress: As for `wechat_msg.api.media.upload`.

    Raises:
        CallError: *filename* is not plain ASCII.

    Source:
        https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/privacy_config/upload_privacy_exfile.html
    """
    upload = make_upload("text", file, filename=filename, content_type=None, progress=progress)
    return Call(
        "POST",
        "/cgi-bin/component/uploadprivacyextfile",
        Member("ext_file_media_id", str),
        upload=attrs.evolve(upload, name="file"),
        is_repeatable=True,
    )
