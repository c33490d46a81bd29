"""The error for an errcode and an errmsg."""

from __future__ import annotations

import pickle
import re

import pytest

from tests.helpers.rows import check_rows
from wechat_msg import errors
from wechat_msg.api.errcodes import Meaning, list_meanings, make_api_error
from wechat_msg.errors import (
    AccessTokenRejected,
    APIError,
    ClientError,
    DuplicateRequest,
    InvalidCredential,
    InvalidParameter,
    IPNotAllowed,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    SystemBusy,
    UserNotFound,
    UserRefused,
    WindowClosed,
)

RID = "61725984-6126f6f9-040f19c4"
CHINESE = re.compile("[\u4e00-\u9fff]")

#: Classes of the most common numbers.
COMMON = {
    -1: SystemBusy,
    40001: AccessTokenRejected,
    40014: AccessTokenRejected,
    42001: AccessTokenRejected,
    40013: InvalidCredential,
    40125: InvalidCredential,
    40164: IPNotAllowed,
    45009: QuotaExhausted,
    45011: RateLimited,
    45015: WindowClosed,
    45047: WindowClosed,
    43101: UserRefused,
    50001: PermissionDenied,
    50002: PermissionDenied,
    40003: UserNotFound,
    45065: DuplicateRequest,
    65410: InvalidParameter,  # from within a range
}
#: Texts of WeChat, and the errmsg and rid in them.
ERRMSGS = [
    (f"invalid openid rid: {RID}", "invalid openid", RID),
    (f"invalid openid, rid: {RID}", "invalid openid", RID),
    (f"invalid openid,rid:{RID}", "invalid openid", RID),
    (f"invalid openid rid: {RID} ", "invalid openid", RID),
    (f"rid: {RID}", "", RID),
    (f"invalid openid rid: {RID}, see the documents", "invalid openid, see the documents", RID),
    (f"参数错误 rid: {RID}", "参数错误", RID),
    ("invalid openid", "invalid openid", None),
    ("", "", None),
    ("  invalid openid \n", "invalid openid", None),
    ("invalid rid:", "invalid rid:", None),
    ("invalid grid: 5", "invalid grid: 5", None),
    # As in older answers; there is nothing to ask WeChat's support with but the whole text.
    ("invalid credential hint: [aBc0823vr30!]", "invalid credential hint: [aBc0823vr30!]", None),
    ("ok hints: [ req_id: gN1cNa0466vr68 ]", "ok hints: [ req_id: gN1cNa0466vr68 ]", None),
    (f"invalid openid hint: [aBc] rid: {RID}", "invalid openid hint: [aBc]", RID),
]


class TestClass:
    def test_is_that_of_the_table(self):
        def check(meaning: Meaning) -> None:
            error = make_api_error(meaning.errcode, "whatever")
            assert type(error) is meaning.error
            assert (error.errcode, error.errmsg) == (meaning.errcode, "whatever")

        check_rows(list_meanings(), check)

    def test_of_the_most_common_numbers(self):
        assert {errcode: type(make_api_error(errcode, "")) for errcode in COMMON} == COMMON

    @pytest.mark.parametrize("errcode", [1, -2, 99999, 2**31, 2**64, -(2**64)])
    def test_of_an_unknown_number_is_invalid_parameter(self, errcode):
        error = make_api_error(errcode, "brand new")

        assert type(error) is InvalidParameter
        assert (error.errcode, error.errmsg, error.hint) == (errcode, "brand new", "")
        assert str(error) == f"{errcode}: brand new"

    def test_is_an_api_error(self):
        def check(meaning: Meaning) -> None:
            assert issubclass(meaning.error, APIError)
            assert issubclass(meaning.error, ClientError)

        check_rows(list_meanings(), check)


class TestErrmsg:
    def test_is_separated_from_the_rid(self):
        def check(errmsg: str, text: str, rid: str | None) -> None:
            error = make_api_error(40003, errmsg)
            assert (error.errmsg, error.rid) == (text, rid)

        check_rows(ERRMSGS, check)

    def test_keeps_a_given_rid(self):
        error = make_api_error(40003, "invalid openid", RID)

        assert (error.errmsg, error.rid) == ("invalid openid", RID)

    def test_names_the_field_that_is_wrong(self):
        assert "data.thing1.value" in str(make_api_error(47003, "argument invalid! data.thing1.value invalid"))

    def test_is_limited_in_length(self):
        error = make_api_error(40003, "x" * 100_000 + f" rid: {RID}")

        assert len(error.errmsg) == 500
        assert error.rid == RID

    def test_has_a_rid_of_limited_length(self):
        assert len(make_api_error(40003, "no rid: " + "a" * 100_000).rid or "") <= 64


class TestText:
    def test_has_number_text_and_fix_in_both_languages(self):
        def check(meaning: Meaning) -> None:
            error = make_api_error(meaning.errcode, "the text", RID)
            assert str(error) == f"{meaning.errcode}: the text, rid {RID}（{meaning.hint}）"
            assert error.hint == meaning.hint
            assert CHINESE.search(meaning.hint)
            assert re.match("[A-Za-z`0-9]", meaning.hint)

        check_rows(list_meanings(), check)

    def test_omits_missing_parts(self):
        assert str(APIError(1)) == "1: "
        assert str(APIError(1, "text")) == "1: text"
        assert str(APIError(1, "text", RID)) == f"1: text, rid {RID}"
        assert str(APIError(1, "text", None, "Do this. 请这样")) == "1: text（Do this. 请这样）"


class TestPickle:
    """An error of a worker process is pickled for the process that waits for it."""

    def test_restores_the_error(self):
        def check(cls: type[APIError]) -> None:
            error = cls(45015, "response out of time limit", RID, "Wait. 请等待")
            twin = pickle.loads(pickle.dumps(error))
            assert type(twin) is cls
            assert (twin.errcode, twin.errmsg, twin.rid) == (45015, "response out of time limit", RID)
            assert twin.hint == error.hint
            assert str(twin) == str(error)

        check_rows([APIError, *APIError.__subclasses__()], check)

    @pytest.mark.parametrize("cls", [errors.ConnectFailed, errors.AnswerLost, errors.CallError, errors.UserDataError])
    def test_restores_an_error_without_a_number(self, cls):
        twin = pickle.loads(pickle.dumps(cls("the text")))

        assert type(twin) is cls
        assert str(twin) == str(cls("the text"))

    def test_restores_the_status_of_an_unreadable_answer(self):
        twin = pickle.loads(pickle.dumps(errors.UnreadableAnswer("HTTP 502", 502)))

        assert twin.status == 502
        assert "HTTP 502" in str(twin)
