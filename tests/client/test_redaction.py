"""What is taken out of the logs of HTTP libraries, and what is not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import urllib3

from tests.helpers.logs import listen_to_all
from tests.helpers.rows import check_rows
from wechat_msg.client import AsyncClient, Client
from wechat_msg.client.redaction import LOGGERS, hide_secrets, hide_secrets_in_logs

TOKEN = "57_yAnD-hJk9x"
NAMES = [
    "access_token",
    "component_access_token",
    "authorizer_access_token",
    "cloudbase_access_token",
    "refresh_token",
    "secret",
    "appsecret",
    "component_appsecret",
    "ticket",
    "jsapi_ticket",
    "session_key",
    "js_code",
    "code",
    "signature",
    "pay_sig",
]


class TestHideSecrets:
    def test_takes_out_the_values_of_secret_parameters_wherever_they_stand(self):
        def check(name):
            for before, after in (
                ("?", ""),
                ("?", "&a=1"),
                ("?openid=oUSER&", ""),
                ("?openid=oUSER&", "&lang=zh_CN#top"),
            ):
                text = f"https://api.weixin.qq.com/cgi-bin/read{before}{name}={{}}{after}"
                assert hide_secrets(text.format(TOKEN)) == text.format("***")

        check_rows([(row,) for row in [*NAMES, "ACCESS_TOKEN", "Secret"]], check)

    def test_takes_out_several(self):
        assert hide_secrets(f"/x?access_token={TOKEN}&a=1&secret={TOKEN}") == "/x?access_token=***&a=1&secret=***"

    def test_takes_them_out_of_whatever_surrounds_them(self):
        def check(text):
            assert hide_secrets(text.format(TOKEN)) == text.format("***")

        check_rows(
            [
                '"GET /cgi-bin/read?access_token={} HTTP/1.1" 200 None',
                "GET /cgi-bin/read?access_token={}",
                "URL('https://api.weixin.qq.com/cgi-bin/read?access_token={}')",
                "<Request('GET', 'https://api.weixin.qq.com/cgi-bin/read?access_token={}')>",
                "[(b':path', b'/cgi-bin/read?access_token={}'), (b':method', b'GET')]",
                "(b'Location', b'https://api.weixin.qq.com/?a=1&access_token={}#top')",
                "Max retries exceeded with url: /cgi-bin/read?access_token={} (Caused by NewConnectionError())",
                "HTTPConnectionPool(host=\"127.0.0.1\"): url='/cgi-bin/read?access_token={}'",
                "access_token={}",
                "Session(access_token='{}')",
                'Session(access_token="{}", a=1)',
            ],
            check,
        )

    def test_takes_out_what_is_percent_encoded(self):
        assert hide_secrets("/x?access_token=%E4%BD%A0%2B%2F&a=%20") == "/x?access_token=***&a=%20"

    def test_leaves_everything_else_alone(self):
        def check(text):
            assert hide_secrets(text) == text

        check_rows(
            [
                "",
                "/cgi-bin/user/info?openid=oUSER&lang=zh_CN",
                "/cgi-bin/token?grant_type=client_credential&appid=wx1",
                "grant_type=authorization_code&appid=wx1",
                "errcode=40001&errmsg=invalid",
                "qrcode=1&barcode=2&encode=3",
                "access_token=&a=1",
                "the access_token is expired, fetch another",
                "secret: unknown",
                "tickets=5&code_type=1",
                "你好 access_token",
            ],
            check,
        )

    def test_changes_nothing_the_second_time(self):
        text = f"/x?access_token={TOKEN}&secret='{TOKEN}'"
        assert hide_secrets(hide_secrets(text)) == hide_secrets(text)

    def test_is_quick_with_long_texts(self):
        assert len(hide_secrets("a" * 1_000_000 + "access_token=" + "_" * 1_000_000)) < 1_000_100


class Listener(logging.Handler):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Listen to every logger, at the lowest level."""
    listener = Listener()
    with listen_to_all(listener):
        yield listener


def log(listener: Listener, logger: str, message: object, *args: Any) -> logging.LogRecord:
    logging.getLogger(logger).debug(message, *args)
    return listener.records[-1]


class TestTheLoggersOfHTTPLibraries:
    @pytest.mark.parametrize("name", LOGGERS)
    def test_hide_secrets(self, listener, name):
        record = log(listener, name, "GET %s", f"/x?access_token={TOKEN}")
        assert record.getMessage() == "GET /x?access_token=***"
        assert TOKEN not in repr(vars(record))

    @pytest.mark.parametrize("name", LOGGERS)
    def test_leave_other_records_as_they_are(self, listener, name):
        args = ("https://api.weixin.qq.com", 443)
        record = log(listener, name, "Starting new HTTPS connection: %s:%d", *args)
        assert (record.msg, record.args) == ("Starting new HTTPS connection: %s:%d", args)
        assert log(listener, name, {"an": "object"}).msg == {"an": "object"}

    def test_hide_what_objects_show(self, listener):
        url = httpx2.URL("https://api.weixin.qq.com/x", params={"access_token": TOKEN, "a": "你好"})
        for shown in (url, httpx2.Request("GET", url).url, urllib3.util.parse_url(str(url)), ValueError(str(url))):
            for message in ("%s", "%r", "HTTP Request: %s"):
                record = log(listener, "httpx2", message, shown)
                assert "access_token=***" in record.getMessage()
                assert TOKEN not in repr(vars(record))

    def test_hide_what_is_the_message_itself(self, listener):
        assert log(listener, "urllib3.util.retry", f"100% of /x?secret={TOKEN}").getMessage() == "100% of /x?secret=***"

    def test_hide_what_is_named(self, listener):
        record = log(listener, "httpx2", "%(method)s %(url)s", {"method": "GET", "url": f"/x?code={TOKEN}"})
        assert record.getMessage() == "GET /x?code=***"

    def test_keep_every_record(self, listener):
        for text in ("", "plain", f"secret={TOKEN}"):
            log(listener, "urllib3.connectionpool", text)
        assert len(listener.records) == 3

    def test_do_not_fail_at_what_cannot_be_written(self):
        """That is for handlers to complain of, as they do without us."""

        class Odd:
            def __str__(self) -> str:
                raise RuntimeError("odd")

        for args in (("text",), (Odd(),), (1, 2)):
            record = logging.LogRecord("httpx2", logging.DEBUG, "", 1, "%s and %d, %d", args, None)
            assert logging.getLogger("httpx2").filter(record)
            assert (record.msg, record.args) == ("%s and %d, %d", args)

    def test_do_not_change_what_others_log(self, listener):
        for name in ("", "wechat_msg", "urllib3", "myapp", "httpx2.extra"):
            assert log(listener, name, "/x?access_token=%s", TOKEN).args == (TOKEN,)

    def test_are_those_of_the_installed_versions(self):
        """So that a library which renames its loggers is noticed."""
        known = set(logging.root.manager.loggerDict)
        ours = {name for name in LOGGERS if not name.startswith("hpack")}  # only with HTTP/2
        assert ours - known == set()


class TestWatchLogs:
    def test_is_done_by_each_client_but_adds_one_filter(self):
        for _ in range(3):
            Client("wx1", "secret").close()
            AsyncClient("wx1", "secret")
            hide_secrets_in_logs()
        for name in LOGGERS:
            assert [type(each).__name__ for each in logging.getLogger(name).filters] == ["_HideSecrets"]

    def test_leaves_other_filters_alone(self):
        logger = logging.getLogger("urllib3.connectionpool")
        mine = logging.Filter("urllib3")
        logger.addFilter(mine)
        hide_secrets_in_logs()
        assert mine in logger.filters
        logger.removeFilter(mine)

    def test_changes_no_level_and_adds_no_handler(self):
        for name in LOGGERS:
            logger = logging.getLogger(name)
            before = (logger.level, logger.handlers[:], logger.propagate, logger.disabled)
            hide_secrets_in_logs()
            assert (logger.level, logger.handlers, logger.propagate, logger.disabled) == before
