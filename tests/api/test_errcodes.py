"""The table of WeChat's error numbers."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import wechat_msg
from tests.helpers.rows import check_rows
from wechat_msg import errors

TABLE = tomllib.loads((Path(wechat_msg.__file__).parent / "api" / "errcodes.toml").read_text("utf-8"))
ENTRIES = TABLE["errors"]
CHINESE = re.compile("[\u4e00-\u9fff]")
SKIP = re.compile("skip the user", re.IGNORECASE)
ONE_USER = re.compile("user|OpenID|minor")

#: Numbers on WeChat's pages, by the class that a program catches.
LISTED = {
    "AccessTokenRejected": {40001, 40014, 42001},
    "InvalidCredential": {40013, 40125, 40243, 41002, 41004, 50004, 50007, 61005, 61006},
    "IPNotAllowed": {40164, 61004, 89503, 89506, 89507},
    "SystemBusy": {-1, 61450},
    "RateLimited": {43108, 44990, 44991, 45011, 45066, 87020},
    "QuotaExhausted": {44993, 45009, 45028, 45029, 48006, 85400, 200012},
    "WindowClosed": {45015, 45047, 45080, 61010},
    "UserRefused": {40226, 43019, 43101, 48002, 70000},
    "UserNotFound": {40003, 43004, 46004, 49003, 50005},
    "AuthorizationExpired": {
        *(40029, 40030, 40163, 41008, 42002, 42003, 42007),
        *(61009, 61023),
        *(87007, 87009),
    },
    "DuplicateRequest": {45065, 45081, 89504, 89505},
    "PermissionDenied": {
        *(40200, 43107, 43116, 45062),
        *(48001, 48004, 48008, 48021, 48022, 50001, 50002),
        *(61003, 61007, 88000, 200100),
    },
    "InvalidParameter": {
        *(40002, 40004, 40005, 40006, 40007, 40008, *range(40009, 40013), *range(40015, 40028)),
        *(40031, 40032, 40033, 40035, 40036, 40037, 40039, 40050, 40051, 40060, 40066, 40097),
        *(40117, 40118, 40121, 40129, 40132, 40137, 40155, 40159, 40165, 40169),
        *(40201, 40202, 40203, 40212, 40225, *range(40230, 40241)),
        *(41001, 41003, 41005, 41006, 41007, 41009, 41028, 41029, 41030),
        *(43001, 43002, 43003, 43104),
        *(44001, 44002, 44003, 44004),
        *(*range(45001, 45009), 45010, 45016, 45017, 45018, 45056, 45057, 45058, 45059, 45064, 45067, 45072),
        *(45083, 45084, 45113, 45157, 45158, 45159, 45168),
        *(46001, 46002, 46003, 47001, 47003, *range(47501, 47505), 48005, 53503, 53504, 53505, 53600),
        *(*range(61451, 61458), 61011, 61500, *range(65301, 65318), 65320, *range(65400, 65418)),
        *(*range(76001, 76005), 76021, 76022),
        *(85079, 85096, *range(85401, 85409), 87008, 87014, 89002, 89300),
        *(*range(200001, 200012), *range(200013, 200023), 9001001),
    },
}


def codes_of(entry: dict) -> list[int]:
    """Return the numbers of an entry, including those of its ranges."""
    codes = []
    for code in entry["codes"]:
        first, last = map(int, code.split("-")) if isinstance(code, str) else (code, code)
        assert first <= last
        codes += range(first, last + 1)
    return codes


CLASSES = {code: entry["error"] for entry in ENTRIES for code in codes_of(entry)}
#: The entries, by their first number.
ROWS = {entry["codes"][0]: entry for entry in ENTRIES}


class TestTable:
    def test_names_its_source(self):
        assert TABLE["source"].startswith("https://developers.weixin.qq.com/")

    def test_has_every_number_once(self):
        counted = Counter(code for entry in ENTRIES for code in codes_of(entry))
        assert {code for code, count in counted.items() if count > 1} == set()

    def test_has_the_listed_numbers_of_every_class(self):
        def check(error: str) -> None:
            assert {code for code, name in CLASSES.items() if name == error} == LISTED[error]

        check_rows(LISTED.keys(), check)

    def test_has_numbers_for_every_class_of_api_errors(self):
        assert set(CLASSES.values()) == {error.__name__ for error in errors.APIError.__subclasses__()}

    def test_does_not_have_the_number_of_success(self):
        assert 0 not in CLASSES

    def test_advises_skipping_the_user_only_for_errors_about_one_user(self):
        """Programs that catch these classes go on with the next user."""
        about_one_user = {"UserNotFound", "UserRefused", "WindowClosed"}

        assert [
            entry["codes"] for entry in ENTRIES if SKIP.search(entry["hint"]) and entry["error"] not in about_one_user
        ] == []
        assert [
            entry["codes"]
            for entry in ENTRIES
            if entry["error"] in about_one_user and not ONE_USER.search(entry["meaning"])
        ] == []

    def test_has_no_meaning_twice(self):
        assert len({entry["meaning"] for entry in ENTRIES}) == len(ENTRIES)


class TestEntry:
    def test_has_all_members_and_no_others(self):
        def check(entry: dict) -> None:
            assert set(entry) == {"codes", "error", "meaning", "hint", "hint_zh"}

        check_rows(ROWS, check)

    def test_is_raised_as_an_api_error(self):
        def check(entry: dict) -> None:
            assert issubclass(getattr(errors, entry["error"]), errors.APIError)

        check_rows(ROWS, check)

    def test_has_texts_of_one_line(self):
        def check(entry: dict) -> None:
            for name in ("meaning", "hint", "hint_zh"):
                assert entry[name] == entry[name].strip() != ""
                assert entry[name].isprintable()

        check_rows(ROWS, check)

    def test_explains_the_error_and_the_fix_in_english(self):
        def check(entry: dict) -> None:
            for name in ("meaning", "hint"):
                assert entry[name].endswith(".")
                assert not CHINESE.search(entry[name])

        check_rows(ROWS, check)

    def test_explains_the_fix_in_chinese(self):
        def check(entry: dict) -> None:
            assert CHINESE.search(entry["hint_zh"])
            assert not entry["hint_zh"].endswith(("。", "."))  # it is shown in brackets

        check_rows(ROWS, check)
