"""Pushes from the page: messages, replies, tries, and a bot that does not listen."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.helpers.playgrounds import REPLIES, TOKEN, Follower, Page, run_bot, run_playground
from tests.helpers.rows import check_rows
from wechat_msg import PushSettings

MESSAGES = [
    {"MsgType": "text", "Content": "hi"},
    {"MsgType": "image", "MediaId": "M", "PicUrl": "http://127.0.0.1/p"},
    {"MsgType": "voice", "MediaId": "M", "Format": "amr"},
    {"MsgType": "video", "MediaId": "M", "ThumbMediaId": "T"},
    {"MsgType": "shortvideo", "MediaId": "M", "ThumbMediaId": "T"},
    {"MsgType": "location", "Location_X": "39.9", "Location_Y": "116.4", "Scale": "15", "Label": "天安门"},
    {"MsgType": "link", "Title": "t", "Description": "d", "Url": "https://example.com/"},
    {"MsgType": "miniprogrampage", "Title": "t", "AppId": "wx1", "PagePath": "p", "ThumbUrl": "u", "ThumbMediaId": "T"},
    {"MsgType": "event", "Event": "CLICK", "EventKey": "HELP"},
    {
        "MsgType": "event",
        "Event": "scancode_waitmsg",
        "EventKey": "K",
        "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "1"},
    },
]


class TestPushes:
    def test_a_message_of_every_type_is_answered(self, page, chat):
        def check(fields):
            number = page.push(fields)
            assert chat.wait(lambda entry: entry.get("of") == number)["kind"] == "reply"
            assert chat.wait_done(number)["fields"] == fields

        check_rows(MESSAGES, check)

    def test_every_reply_arrives(self, page, chat):
        def check(kind):
            number = page.push({"MsgType": "text", "Content": kind})
            reply = chat.wait(lambda entry: entry.get("of") == number)
            assert (reply["kind"], reply["reply"]["MsgType"]) == ("reply", kind)

        check_rows(list(REPLIES), check)

    def test_no_reply_is_an_acknowledgement(self, page, chat):
        done = chat.wait_done(page.push({"MsgType": "text", "Content": "quiet"}))
        assert [one["outcome"] for one in done["tries"]] == ["acknowledged"]

    def test_tries_are_shown_one_after_the_other_and_the_failure_with_its_reason(self, page, chat):
        number = page.push({"MsgType": "text", "Content": "slow"})
        for tries in (0, 1, 2, 3):
            chat.wait(lambda entry, tries=tries: entry["id"] == number and len(entry["tries"]) == tries)
        failure = chat.wait(lambda entry: entry.get("of") == number)
        assert (failure["kind"], failure["problem"]["code"]) == ("failure", "timed_out")
        assert failure["notice"] == "该公众号提供的服务出现故障，请稍后再试"
        assert failure["problem"]["fix"]["zh"]
        assert [one["number"] for one in page.wire(number)["tries"]] == [1, 2, 3]

    def test_a_plain_push_that_the_bot_refuses(self, page, chat):
        number = page.push({"MsgType": "text", "Content": "hi"}, "plain")
        one = chat.wait(lambda entry: entry["id"] == number and entry["tries"])["tries"][0]
        assert (one["status"], one["problem"]["code"]) == (403, "wrong_status")

    def test_many_run_at_once(self, page, chat):
        slow = page.push({"MsgType": "text", "Content": "slow"})
        quick = page.push({"MsgType": "text", "Content": "quick"})
        chat.wait(lambda entry: entry.get("of") == quick)
        assert not chat.entries[slow]["is_done"]

    def test_a_reply_has_the_number_of_its_try(self, page, chat):
        for content, answer in [("story", "write anything to read it"), ("next", "part 1"), ("next", "part 2")]:
            pushed = page.push({"MsgType": "text", "Content": content})
            reply = chat.wait(lambda entry, pushed=pushed: entry.get("of") == pushed)
            assert (reply["reply"]["Content"], reply["answered"]) == (answer, "")
            assert reply["number"] == len(chat.wait_done(pushed)["tries"])
            assert (reply["number"] > 1) == (content == "story")

    def test_a_reply_after_another_message_repeats_the_one_that_it_answers(self, page, chat):
        late = page.push({"MsgType": "text", "Content": "story"})
        quick = page.push({"MsgType": "text", "Content": "quick"})
        assert chat.wait(lambda entry: entry.get("of") == late)["answered"] == "story"
        assert chat.wait(lambda entry: entry.get("of") == quick)["answered"] == ""

    def test_following_is_known_to_the_api(self, page, chat):
        chat.wait_done(page.push({"MsgType": "event", "Event": "unsubscribe"}))
        assert page.playground.api.users["oUSER"]["subscribe"] == 0
        assert not chat.entries["users"]["users"][0]["is_follower"]
        chat.wait_done(page.push({"MsgType": "event", "Event": "subscribe"}))
        chat.wait(lambda entry: entry["id"] == "users" and entry["users"][0]["is_follower"])

    def test_the_url_is_verified(self, page, chat):
        number = page.post("verification", {})[1]["id"]
        assert chat.wait_done(number)["tries"][0]["outcome"] == "verified"

    def test_settings_without_a_key_allow_the_plain_mode_alone(self):
        with run_playground("http://127.0.0.1:1/", PushSettings(token=TOKEN)) as playground:
            page = Page(playground).log_in()
            assert Follower(page).wait(lambda entry: entry["id"] == "about")["modes"] == ["plain"]
            asked = {"fields": {"MsgType": "text"}, "mode": "sealed", "format": "xml"}
            assert page.post("pushes", asked)[0] == 400


class TestTheBotIsDown:
    def test_it_is_shown_and_continues_when_the_bot_is_back(self):
        with run_bot() as url:
            port = urlsplit(url).port
        with run_playground(url) as playground:
            page = Page(playground).log_in()
            chat = Follower(page)
            bot = chat.wait(lambda entry: entry["id"] == "bot")
            assert not bot["is_up"]
            assert bot["problem"]["fix"]["zh"]
            with run_bot(port):
                chat.wait(lambda entry: entry["id"] == "bot" and entry["is_up"])
                number = page.push({"MsgType": "text", "Content": "back"})
                assert chat.wait(lambda entry: entry.get("of") == number)["reply"]["Content"] == "back"
