"""Events of content safety (内容安全)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, items, model, nested, text

__all__ = ["MediaCheckDetail", "MediaCheckResult", "WxaMediaCheckEvent"]


@model
class MediaCheckResult:
    """The result of a check.

    Attributes:
        suggest: ``pass``, ``review`` or ``risky``.
        label: 100 normal, 20001 politics, 20002 pornography, 20006 crime, 21000 other.
    """

    suggest: str = text("suggest")
    label: int | None = integer("label", default=None)


@model
class MediaCheckDetail:
    """The result of one strategy.

    Attributes:
        strategy: Name of the strategy.
        errcode: 0 if this result is valid.
        suggest: As in `MediaCheckResult`.
        label: As in `MediaCheckResult`.
        prob: Confidence from 0 to 100.
    """

    strategy: str | None = text("strategy", default=None)
    errcode: int | None = integer("errcode", default=None)
    suggest: str | None = text("suggest", default=None)
    label: int | None = integer("label", default=None)
    prob: int | None = integer("prob", default=None)


@register_event("wxa_media_check")
class WxaMediaCheckEvent(Event):
    """音视频内容安全识别: the result of media_check_async, version 2; the last three fields belong to version 1.

    Attributes:
        appid: AppID of the Mini Program.
        trace_id: Id that the call returned.
        version: 2 for the current version.
        errcode: 0 if the result is valid, -1008 if the media could not be downloaded.
        errmsg: The text of errcode.
        result: The result.
        detail: The results of the single strategies.
        isrisky: Version 1: 1 if risky.
        extra_info_json: Version 1: details as JSON text.
        status_code: Version 1: 4294966288 if the media could not be downloaded.
    """

    appid: str | None = text("appid", default=None)
    trace_id: str = text("trace_id")
    version: int | None = integer("version", default=None)
    errcode: int | None = integer("errcode", default=None)
    errmsg: str | None = text("errmsg", default=None)
    result: MediaCheckResult | None = nested("result", MediaCheckResult, default=None)
    detail: tuple[MediaCheckDetail, ...] = items("detail", MediaCheckDetail)
    isrisky: int | None = integer("isrisky", default=None)
    extra_info_json: str | None = text("extra_info_json", default=None)
    status_code: int | None = integer("status_code", default=None)
