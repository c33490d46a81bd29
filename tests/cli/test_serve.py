"""``wechat-msg serve``: its log, late answers, and how it ends."""

from __future__ import annotations

import re
import signal

import pytest

from tests.helpers.commands import COMMAND, ENVIRON, answering, answers, ask, interrupt
from tests.helpers.servers import serve
from tests.helpers.waiting import wait_until
from wechat_msg.cli.bot import PATH
from wechat_msg.testing import FakeWeChatAPI


class TestServe:
    def test_prints_new_settings_and_no_users_text(self, environ):
        nothing = dict.fromkeys(ENVIRON, "")
        with serve(*COMMAND, "serve", "--port", "0", environ=nothing) as server:
            variables = dict(re.findall(r"export (\w+)=(\S+)", server.read_log()))
            for name, value in variables.items():
                environ.setenv(name, value)
            result = ask("push", f"http://127.0.0.1:{server.port}{PATH}", "--text", "between us")

            assert result.exit_code == 0
            assert "✓ TextMessage  → TextReply\n" in server.read_log()
            assert "between us" not in server.read_log()

    def test_prints_refused_pushes_and_texts_with_verbose(self, environ):
        with serve(*COMMAND, "serve", "--port", "0", "--verbose", environ=ENVIRON) as server:
            url = f"http://127.0.0.1:{server.port}{PATH}"
            ask("push", url, "--text", "hi")
            ask("push", url, "--text", "hi", "--token", "another", "--tries", "1")
            log = server.read_log()

        assert "✓ TextMessage 'hi'  → TextReply 'hi'\n" in log
        assert "! push refused with 403, SignatureMismatch" in log
        assert "spamtest" not in log

    def test_sends_late_answers_as_customer_service_messages(self):
        """For a Mini Program all answers are."""
        environ = {**ENVIRON, "WECHAT_ACCOUNT_KIND": "mini_program"}
        with (
            FakeWeChatAPI() as wechat,
            serve(*COMMAND, "serve", "--port", "0", "--api", wechat.url, environ=environ) as server,
        ):
            result = ask(
                "push", f"http://127.0.0.1:{server.port}{PATH}", "--text", "late", "--account-kind", "mini_program"
            )
            wait_until(lambda: wechat.messages)

        assert result.exit_code == 0
        assert wechat.messages[0]["text"] == {"content": "late"}

    def test_reports_a_port_in_use(self):
        with answering(b"") as url:
            result = ask("serve", "--port", url.rpartition(":")[2])

        assert result.exit_code == 2
        assert "cannot listen on" in result.stderr

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize("command", ["serve", "playground"])
    def test_ends_quietly(self, command, number):
        status, output, errors = interrupt([command, "--port", "0"], number, when=answers)

        assert status == 0
        assert errors.strip() == ""
        assert "Traceback" not in output

    @pytest.mark.parametrize("command", ["serve", "playground"])
    def test_can_be_ended_although_a_script_started_it_in_the_background(self, command):
        """A shell without job control makes background commands ignore SIGINT."""
        in_background = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
        status, _, errors = interrupt([command, "--port", "0"], signal.SIGTERM, when=answers, start=in_background)

        assert status == 0
        assert errors.strip() == ""
