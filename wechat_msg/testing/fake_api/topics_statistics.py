"""Topic: statistics of articles, followers, messages and pushes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from wechat_msg.testing.fake_api.fake_account import FakeAccount
from wechat_msg.testing.fake_api.response import ErrcodeError
from wechat_msg.testing.fake_api.routes import Params, route

Statistics = Mapping[str, tuple[int | None, Mapping[str, Any]]]
"""The numbers of a day by the name of the call, and how many days it may ask for."""

_DAILY: Statistics = {
    "getusersummary": (7, {"user_source": 0, "new_user": 2, "cancel_user": 1}),
    "getusercumulate": (7, {"cumulate_user": 3}),
    "getupstreammsg": (7, {"msg_type": 1, "msg_user": 2, "msg_count": 5}),
    "getupstreammsghour": (None, {"ref_hour": 800, "msg_type": 1, "msg_user": 2, "msg_count": 5}),
    "getupstreammsgweek": (None, {"msg_type": 1, "msg_user": 2, "msg_count": 5}),
    "getupstreammsgmonth": (None, {"msg_type": 1, "msg_user": 2, "msg_count": 5}),
    "getupstreammsgdist": (None, {"count_interval": 1, "msg_user": 2}),
    "getupstreammsgdistweek": (None, {"count_interval": 1, "msg_user": 2}),
    "getupstreammsgdistmonth": (None, {"count_interval": 1, "msg_user": 2}),
    "getinterfacesummary": (None, {"callback_count": 5, "fail_count": 0, "total_time_cost": 500, "max_time_cost": 200}),
}
_ARTICLE = {"msgid": "1000000001_1"}
_READ = {"read_user": 8, "read_user_source": [{"user_count": 8, "scene_desc": "公众号消息"}]}
#: The same with a member ``is_delay``.
_ARTICLES: Statistics = {
    "getbizsummary": (30, {"detail": {**_READ, "share_user": 1, "send_page_count": 1}}),
    "getarticletotaldetail": (1, {**_ARTICLE, "title": "今日", "detail_list": [{"stat_date": "2026-11-29", **_READ}]}),
    "getarticleread": (1, {**_ARTICLE, "detail": _READ}),
    "getarticleshare": (1, {**_ARTICLE, "detail": {"share_user": 1}}),
}


def _list_days(params: Params, most: int | None) -> list[str]:
    try:
        first, last = (date.fromisoformat(params[name]) for name in ("begin_date", "end_date"))
    except ValueError:
        raise ErrcodeError(61500) from None
    days = (last - first).days + 1
    if days < 1 or (most is not None and days > most):
        raise ErrcodeError(61500)  # that WeChat returns this number, too, if the days are too many is unconfirmed
    return [str(first + timedelta(number)) for number in range(days)]


def _add(name: str, most: int | None, numbers: Mapping[str, Any], **more: Any) -> None:
    @route("POST", f"/datacube/{name}", "begin_date", "end_date")
    def _count(_: FakeAccount, params: Params) -> Any:
        return {"list": [{"ref_date": day, **numbers} for day in _list_days(params, most)], **more}


for _name, (_most, _numbers) in _DAILY.items():
    _add(_name, _most, _numbers)
for _name, (_most, _numbers) in _ARTICLES.items():
    _add(_name, _most, _numbers, is_delay=False)
