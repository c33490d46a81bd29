"""Calls for users, templates, menus, codes and quotas: template data, checks of arguments, pages, reprs."""

from __future__ import annotations

import copy
import io
import itertools
import json
import pickle
from decimal import Decimal

import pytest

from tests.api.cases.menu import BUTTONS
from tests.helpers.rows import check_rows
from wechat_msg import Client
from wechat_msg.api import callback, menu, miniprogram, oauth, qrcode, quota, subscribe, template, user
from wechat_msg.api._response import APIResponse, read_response
from wechat_msg.errors import CallError, UnreadableAnswer, UserDataError
from wechat_msg.testing import FakeWeChatAPI

KEY = "o0q0otL8aEzpcZL/FT9WsQ=="

#: Every list of OpenIDs: its pages, and the member or parameter that tells where a page begins.
LISTS = [
    (user.iterate_openids(), "next_openid"),  # followers
    (user.iterate_tag_members(134), "next_openid"),  # members of a tag
    (user.iterate_blacklist(), "begin_openid"),  # blacklist
]


def walk(pages, answers):
    """Request all pages; return the calls and the items."""
    calls, found = [], []
    call = pages.first
    while call is not None:
        page = call.parse(answers[len(calls)])
        calls.append(call)
        found += pages.items_of(page)
        call = pages.next_of(page)
    return calls, found


def page_of(*openids, next_openid=None):
    data = {"data": {"openid": list(openids)}} if openids else {}
    return {"total": 4, "count": len(openids), "next_openid": next_openid, **data}


class TestPagesOfOpenIDs:
    def test_begin_where_the_one_before_ended(self):
        def check(pages, begin):
            answers = [page_of("o1", "o2", next_openid="o2"), page_of("o3", next_openid="o3"), page_of(next_openid="")]
            calls, found = walk(pages, answers)
            assert [{**call.params, **(call.json or {})}.get(begin) for call in calls] == [None, "o2", "o3"]
            assert found == ["o1", "o2", "o3"]

        check_rows(LISTS, check)

    def test_end_with_one_that_leads_nowhere(self):
        def check(last, pages, begin):
            calls, found = walk(pages, [page_of("o1", "o2", next_openid="o2"), last])
            assert len(calls) == 2
            assert found == ["o1", "o2", "o3"]

        check_rows(
            [
                (last, *row)
                for last in [
                    page_of("o3", next_openid=""),
                    page_of("o3", next_openid=None),
                    page_of("o3", next_openid="o2"),
                    {"count": 1, "data": {"openid": ["o3"]}},
                ]
                for row in LISTS
            ],
            check,
        )

    def test_end_with_one_that_is_empty(self):
        def check(last, pages, begin):
            calls, found = walk(pages, [page_of("o1", "o2", next_openid="o2"), last])
            assert len(calls) == 2
            assert found == ["o1", "o2"]

        check_rows(
            [
                (last, *row)
                for last in [page_of(next_openid="o9"), {"data": {"openid": []}, "next_openid": "o9"}]
                for row in LISTS
            ],
            check,
        )

    def test_can_be_iterated_again(self):
        def check(pages, begin):
            answers = [page_of("o1", next_openid="o1"), page_of(next_openid="")]
            assert walk(pages, answers) == walk(pages, answers)

        check_rows(LISTS, check)

    def test_may_begin_later(self):
        assert user.iterate_openids("o5").first == user.list_openids("o5")

    def test_have_no_next_openid_on_the_last(self):
        answer = page_of("o3", next_openid="o2")
        page = user.list_openids("o2").parse(answer)
        assert page.next_openid is None
        assert page.raw == answer

    def test_are_fetched_in_turn_by_a_client(self):
        with FakeWeChatAPI() as wechat, Client(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
            for number in range(5):
                wechat.add_user(f"oUSER{number}")
            expected = client.call(user.list_openids()).openids
            wechat.page_size = 2
            wechat.clear()
            assert tuple(client.iterate(user.iterate_openids())) == expected
            assert len(wechat.requests_to("/cgi-bin/user/get")) > len(expected) // 2


class TestListsOfOpenIDs:
    def test_are_refused_if_they_have_another_type(self):
        def check(make, openids):
            with pytest.raises(CallError, match="openids must be a list"):
                make(openids)

        check_rows(
            itertools.product(
                [
                    user.batch_get_info,
                    user.batch_blacklist,
                    user.batch_unblacklist,
                    lambda openids: user.batch_tag(134, openids),
                    lambda openids: user.batch_untag(134, openids),
                    lambda openids: user.change_openids("wxOLD", openids),
                ],
                ["oUSER", b"oUSER", None, 5, [5], [None]],
            ),
            check,
        )


class TestDataOfATemplate:
    def test_become_objects(self):
        def check(given, sent, send):
            assert send("oUSER", "TID", {"thing1": given}).json["data"] == {"thing1": sent}

        check_rows(
            [
                (*row, send)
                for row in [
                    ("拿铁", {"value": "拿铁"}),
                    ("", {"value": ""}),
                    (2, {"value": "2"}),
                    (12.5, {"value": "12.5"}),
                    (Decimal("12.50"), {"value": "12.50"}),
                    ({"value": "拿铁", "color": "#173177"}, {"value": "拿铁", "color": "#173177"}),
                ]
                for send in [template.send, subscribe.send, subscribe.send_biz]
            ],
            check,
        )

    def test_are_refused_if_they_have_another_type(self):
        def check(data, send):
            with pytest.raises(CallError, match="data"):
                send("oUSER", "TID", data)

        check_rows(
            itertools.product(
                ["拿铁", None, ["拿铁"], {"thing1": None}, {"thing1": True}, {"thing1": ["a"]}],
                [template.send, subscribe.send, subscribe.send_biz],
            ),
            check,
        )

    def test_do_not_change_with_what_was_given(self):
        filling = {"value": "before"}
        call = template.send("oUSER", "TID", {"thing1": filling})
        filling["value"] = "after"
        assert call.json["data"] == {"thing1": {"value": "before"}}


class TestObjectsInMessages:
    def test_are_refused_if_they_have_another_type(self):
        def check(make):
            with pytest.raises(CallError, match="must be a mapping"):
                make(["wxMINI"])

        check_rows(
            [
                lambda value: template.send("oUSER", "TID", {}, miniprogram=value),
                lambda value: template.send_one_time("oUSER", "TID", 1, "t", "c", miniprogram=value),
                lambda value: subscribe.send_biz("oUSER", "TID", {}, miniprogram=value),
                lambda value: subscribe.set_user_notify("oUSER", 1, "CODE", value),
                lambda value: subscribe.set_user_notify("oUSER", 1, "CODE", "{}", check_json=value),
                lambda value: subscribe.set_user_notify_ext("oUSER", 1, "CODE", value),
                lambda value: miniprogram.get_wxacode("p", line_color=value),
                lambda value: miniprogram.get_wxacode_unlimit("s", line_color=value),
                lambda value: miniprogram.generate_url_link(cloud_base=value),
                lambda value: miniprogram.send_updatable_msg("ID", 0, value),
                lambda value: miniprogram.send_chattool_msg("ID", 0, "TID", participator_info_list=[value]),
            ],
            check,
        )

    def test_are_refused_where_a_list_is_needed(self):
        def check(value):
            with pytest.raises(CallError, match=r"participator_info_list(\[0\])? must be a"):
                miniprogram.send_chattool_msg("ID", 0, "TID", participator_info_list=value)

        check_rows(["ab", {"group_openid": "oGROUP"}, 5], check)


class TestTemplateLibrary:
    def test_takes_lists_of_numbers(self):
        def check(values):
            with pytest.raises(CallError, match="ids must be a list"):
                subscribe.list_template_titles(values, 0, 30)
            with pytest.raises(CallError, match="kid_list must be a list"):
                subscribe.add_template("401", values, "t")

        check_rows(["12", 12, None, ["1"]], check)

    def test_takes_a_list_of_keyword_names(self):
        with pytest.raises(CallError, match="keyword_name_list must be a list"):
            template.add_template("43521", keyword_name_list="时间")


class TestQRCode:
    def test_is_refused_with_a_scene_that_is_neither_number_nor_text(self):
        def check(scene):
            with pytest.raises(CallError, match="scene"):
                qrcode.create(scene)

        check_rows([None, True, 1.5, b"scene", ["scene"]], check)

    def test_is_downloaded_from_another_host_without_an_access_token(self):
        call = qrcode.get_image("TICKET")
        assert call.host == "https://mp.weixin.qq.com"
        assert not call.needs_access_token


class TestDownloads:
    def test_pass_on_the_file_object_and_the_callback(self):
        def check(download):
            def progress(received, total):
                pass

            into = io.BytesIO()
            call = download("a", into=into, progress=progress)
            assert call.into is into
            assert call.progress is progress

        check_rows(
            [
                qrcode.get_image,
                miniprogram.get_wxacode,
                miniprogram.get_wxacode_unlimit,
                miniprogram.create_wxa_qrcode,
            ],
            check,
        )

    def test_reject_an_answer_that_is_neither_file_nor_error(self):
        def check(download):
            with pytest.raises(UnreadableAnswer):
                read_response(download("a"), APIResponse(200, "application/json", b'{"errcode":0,"errmsg":"ok"}'))

        check_rows([qrcode.get_image, miniprogram.get_wxacode], check)


class TestButtons:
    def test_are_equal_when_made_and_when_read(self):
        def check(button, wire):
            (read,) = menu.try_match("oUSER").parse({"button": [wire]})
            assert read == button
            assert type(read) is type(button)

        check_rows(BUTTONS, check)

    def test_may_be_mappings(self):
        def check(button, wire):
            assert menu.create([wire]) == menu.create([button])
            assert menu.ParentButton(name="a", sub_button=[wire]) == menu.ParentButton(name="a", sub_button=[button])

        check_rows(BUTTONS, check)

    def test_of_an_unknown_form_are_sent_as_received(self):
        def check(wire):
            (button,) = menu.try_match("oUSER").parse({"button": [wire]})
            assert button == menu.UnknownButton(name=wire.get("name", ""), raw=wire)
            assert menu.create([button]).json == {"button": [wire]}

        check_rows(
            [
                {"type": "new_kind", "name": "新", "key": "K"},
                {"type": "view", "name": "没有 url"},
                {"type": "click", "key": "没有 name"},
                {"type": "click", "name": "又是别的", "key": ["K"]},
                {"name": "什么都没有"},
                {},
            ],
            check,
        )

    def test_are_refused_if_they_have_another_type(self):
        def check(buttons):
            for make in (
                menu.create,
                lambda buttons: menu.add_conditional(buttons, menu.MatchRule(tag_id=2)),
                lambda buttons: menu.ParentButton(name="a", sub_button=buttons),
            ):
                with pytest.raises(CallError, match="button"):
                    make(buttons)

        check_rows(
            [
                "ab",
                None,
                5,
                ["a"],
                [None],
                {"button": 5},
                {"button": ["a"]},
                {"menu": []},
                {"menu": {}},
                {"type": "view"},
            ],
            check,
        )

    def test_make_an_answer_unreadable_if_they_are_missing(self):
        def check(call, answer):
            with pytest.raises(UnreadableAnswer):
                read_response(call, APIResponse(200, "application/json", answer))

        check_rows(
            [
                (menu.try_match("oUSER"), b"{}"),
                (menu.try_match("oUSER"), b'{"button": 5}'),
                (menu.try_match("oUSER"), b'{"button": ["a"]}'),
                (menu.get_current(), b'{"selfmenu_info": {"button": 5}}'),
            ],
            check,
        )

    def test_are_values(self):
        def check(button):
            assert pickle.loads(pickle.dumps(button)) == copy.deepcopy(button) == button

        check_rows([button for button, _ in BUTTONS], check)

    def test_of_a_parent_are_copied(self):
        given = [menu.ViewButton(name="a", url="u")]
        parent = menu.ParentButton(name="p", sub_button=given)
        given.clear()
        assert parent.sub_button == (menu.ViewButton(name="a", url="u"),)


#: As on WeChat's pages: every member is sent, including empty ones.
BODY = {
    "button": [
        {"type": "scancode_waitmsg", "name": "扫码带提示", "key": "rselfmenu_0_0", "sub_button": []},
        {
            "name": "菜单",
            "sub_button": [
                {"type": "view", "name": "搜索", "url": "http://www.soso.com/"},
                {"type": "click", "name": "赞一下我们", "key": "V1001_GOOD", "news": 1},
            ],
        },
    ]
}
RULE = {"tag_id": "2", "client_platform_type": "2"}


class TestBody:
    """The JSON of WeChat's page, copied into a program."""

    def test_is_sent_as_it_is(self):
        assert menu.create(BODY).json == BODY
        assert menu.add_conditional({**BODY, "matchrule": RULE}).json == {**BODY, "matchrule": RULE}

    def test_may_be_the_response_of_menu_get(self):
        answer = {"menu": {**BODY, "menuid": 208396938}, "conditionalmenu": []}
        assert menu.create(answer).json == BODY

    def test_may_be_the_result_of_menu_get(self):
        answer = {"menu": {"button": [wire for _, wire in BUTTONS]}}
        answer["conditionalmenu"] = [{**answer["menu"], "matchrule": RULE, "menuid": 5}]
        menus = read_response(menu.get(), APIResponse(200, "application/json", json.dumps(answer).encode()))
        assert menu.create(menus.menu).json == answer["menu"]
        assert menu.add_conditional(menus.conditionalmenu[0]).json == {**answer["menu"], "matchrule": RULE}

    def test_may_hold_buttons(self):
        assert menu.create({"button": [menu.ClickButton(name="a", key="K")]}).json == {
            "button": [{"type": "click", "name": "a", "key": "K"}]
        }

    def test_is_not_changed(self):
        body = copy.deepcopy(BODY)
        menu.create(body).json["button"].clear()
        assert body == BODY

    def test_of_a_conditional_menu_is_refused_for_the_menu_of_all(self):
        def check(body):
            with pytest.raises(CallError, match="add_conditional"):
                menu.create(body)

        check_rows([{**BODY, "matchrule": RULE}, menu.ConditionalMenu(matchrule=menu.MatchRule())], check)


class TestConditionalMenu:
    def test_refuses_a_rule_of_another_type(self):
        def check(rule):
            for call in (
                lambda: menu.add_conditional([], rule),
                lambda: menu.add_conditional({**BODY, "matchrule": rule}),
            ):
                with pytest.raises(CallError, match="match_rule"):
                    call()

        check_rows(["2", 5, [2]], check)

    def test_needs_one_rule(self):
        def check(body, rule):
            with pytest.raises(CallError, match="match_rule must be given once"):
                menu.add_conditional(body, rule)

        check_rows([([], None), (BODY, None), ({**BODY, "matchrule": RULE}, RULE)], check)

    def test_accepts_a_rule_as_a_mapping(self):
        assert menu.add_conditional(BODY, RULE).json == {**BODY, "matchrule": RULE}

    def test_may_be_deleted_by_a_number(self):
        assert menu.delete_conditional(208379533) == menu.delete_conditional("208379533")


class TestPagesOfTheBrowser:
    BEGIN = "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wxA&redirect_uri=https%3A%2F%2Fa.cn%2F%3Fb%3D1"

    def test_of_the_authorisation_have_their_parameters_in_order(self):
        assert (
            oauth.make_authorize_url("wxA", "https://a.cn/?b=1")
            == f"{self.BEGIN}&response_type=code&scope=snsapi_base&state=#wechat_redirect"
        )

    def test_of_the_authorisation_may_have_optional_parameters(self):
        def check(flag, word):
            url = oauth.make_authorize_url(
                "wxA",
                "https://a.cn/?b=1",
                scope="snsapi_userinfo",
                state="a b",
                force_popup=flag,
                force_snap_shot=flag,
            )
            rest = f"&response_type=code&scope=snsapi_userinfo&state=a%20b&forcePopup={word}&forceSnapShot={word}"
            assert url == f"{self.BEGIN}{rest}#wechat_redirect"

        check_rows([(True, "true"), (False, "false")], check)

    def test_of_a_website_have_fixed_parameters(self):
        assert oauth.make_qrconnect_url("wxA", "https://a.cn/", state="S") == (
            "https://open.weixin.qq.com/connect/qrconnect?appid=wxA&redirect_uri=https%3A%2F%2Fa.cn%2F"
            "&response_type=code&scope=snsapi_login&state=S#wechat_redirect"
        )

    def test_of_one_time_subscriptions_may_omit_reserved(self):
        assert template.make_subscribe_url("wxA", 0, "T/1", "https://a.cn/?b=1") == (
            "https://mp.weixin.qq.com/mp/subscribemsg?action=get_confirm&appid=wxA&scene=0&template_id=T%2F1"
            "&redirect_url=https%3A%2F%2Fa.cn%2F%3Fb%3D1#wechat_redirect"
        )

    def test_refuse_arguments_that_are_not_text(self):
        def check(make):
            with pytest.raises(CallError):
                make()

        check_rows(
            [
                lambda: oauth.make_authorize_url(None, "https://a.cn/", state=["S"]),
                lambda: oauth.make_qrconnect_url("wxA", b"https://a.cn/"),
                lambda: template.make_subscribe_url("wxA", [1], "TID", "https://a.cn/"),
            ],
            check,
        )


class TestSessionSignature:
    def test_is_not_made_without_a_key(self):
        def check(make, session_key):
            with pytest.raises(UserDataError, match="session_key"):
                make("oUSER", session_key)

        check_rows(
            itertools.product(
                [miniprogram.check_session, miniprogram.reset_user_session_key, miniprogram.get_user_encrypt_key],
                ["", None, b"key"],
            ),
            check,
        )


class TestAccessTokenOfTheAccount:
    def test_is_not_needed(self):
        def check(call):
            assert not call.needs_access_token

        check_rows(
            [
                oauth.get_access_token("CODE"),
                oauth.refresh_access_token("T"),
                oauth.get_user_info("T", "oUSER"),
                oauth.check_access_token("T", "oUSER"),
                miniprogram.code2session("CODE"),
                qrcode.get_image("T"),
                quota.clear_v2(),
            ],
            check,
        )

    def test_is_needed_by_other_calls(self):
        assert quota.clear().needs_access_token
        assert miniprogram.check_session("oUSER", KEY).needs_access_token


class TestReprs:
    def test_hold_no_secret_and_no_words_of_users(self):
        def check(value):
            assert "secret" not in repr(value)

        check_rows(
            [
                user.UserInfo(openid="o", nickname="secret", remark="secret", headimgurl="secret"),
                oauth.SnsUserInfo(openid="o", nickname="secret", headimgurl="secret"),
                oauth.UserAccessToken(access_token="secret", expires_in=1, refresh_token="secret", openid="o"),
                qrcode.QRCode(ticket="secret"),
                qrcode.LongData(long_data="secret"),
                quota.RidInfo(request_url="secret", request_body="secret", response_body="secret"),
                subscribe.NotifyInfo(notify_type=1, content_json="secret"),
                miniprogram.Session(openid="o", session_key="secret"),
                miniprogram.PhoneInfo(phone_number="secret", pure_phone_number="secret"),
                miniprogram.EncryptKey(encrypt_key="secret", version=1, iv="secret"),
                miniprogram.MsgSecDetail(keyword="secret"),
                menu.UnknownButton(raw={"key": "secret"}),
            ],
            check,
        )


class TestRepeating:
    def test_is_not_allowed_where_it_sends_creates_deletes_or_uses_up(self):
        def check(call):
            assert not call.is_repeatable

        check_rows(
            [
                user.create_tag("t"),
                user.delete_tag(1),
                template.set_industry("1", "4"),  # once a month, so that the second time fails
                template.add_template("TM1"),
                template.delete_template("TID"),
                template.send("oUSER", "TID", {}),
                template.send_one_time("oUSER", "TID", 1, "t", "c"),
                subscribe.send("oUSER", "TID", {}),
                subscribe.send_biz("oUSER", "TID", {}),
                subscribe.add_template("1", [1, 2], "s"),
                subscribe.delete_template("TID"),
                subscribe.set_user_notify("oUSER", 1, "CODE", "{}"),
                subscribe.set_user_notify_ext("oUSER", 1, "CODE", "{}"),
                qrcode.create(1),
                qrcode.gen_short_key("d", 1),
                menu.delete(),
                menu.add_conditional([], menu.MatchRule()),
                menu.delete_conditional("1"),
                oauth.get_access_token("CODE"),
                quota.clear(),
                quota.clear_v2(),
                quota.clear_api("/p"),
                miniprogram.code2session("CODE"),
                miniprogram.reset_user_session_key("oUSER", KEY),  # the second time the old key is no longer valid
                miniprogram.get_phone_number("CODE"),
                miniprogram.get_plugin_openpid("CODE"),
                miniprogram.media_check_async("u", 1, 1, "oUSER"),
                miniprogram.get_wxacode("p"),
                miniprogram.create_wxa_qrcode("p"),
                miniprogram.generate_scheme(),
                miniprogram.generate_nfc_scheme("M"),
                miniprogram.generate_url_link(),
                miniprogram.generate_short_link("p"),
                miniprogram.create_activity_id(),
                miniprogram.send_updatable_msg("ID", 0, {}),
                miniprogram.send_chattool_msg("ID", 0, "TID"),
            ],
            check,
        )

    def test_is_allowed_where_it_does_no_harm(self):
        def check(call):
            assert call.is_repeatable

        check_rows(
            [
                user.get_info("oUSER"),
                user.batch_get_info([]),
                user.update_remark("oUSER", "r"),
                user.list_openids(),
                user.list_tags(),
                user.update_tag(1, "t"),
                user.list_tag_members(1),
                user.batch_tag(1, []),
                user.batch_untag(1, []),
                user.list_tag_ids("oUSER"),
                user.list_blacklist(),
                user.batch_blacklist([]),
                user.batch_unblacklist([]),
                user.change_openids("wxOLD", []),
                template.get_industry(),
                template.list_templates(),
                template.query_blocked("TID", 0, 1),
                subscribe.list_templates(),
                subscribe.list_categories(),
                subscribe.list_template_titles([], 0, 1),
                subscribe.list_template_keywords("1"),
                subscribe.get_user_notify("oUSER", 1, "CODE"),
                qrcode.get_image("T"),
                qrcode.fetch_short_key("K"),
                menu.create([]),
                menu.get(),
                menu.get_current(),
                menu.try_match("oUSER"),
                oauth.refresh_access_token("T"),
                oauth.get_user_info("T", "oUSER"),
                oauth.check_access_token("T", "oUSER"),
                quota.get("/p"),
                quota.get_rid("R"),
                callback.get_api_domain_ips(),
                callback.get_callback_ips(),
                callback.check(),
                miniprogram.check_session("oUSER", KEY),
                miniprogram.check_encrypted_msg("h"),
                miniprogram.get_paid_unionid("oUSER"),
                miniprogram.get_user_encrypt_key("oUSER", KEY),
                miniprogram.msg_sec_check("c", 1, "oUSER"),
                miniprogram.get_user_risk_rank("oUSER", 0, "ip"),
                miniprogram.get_wxacode_unlimit("s"),
                miniprogram.query_scheme("s"),
                miniprogram.query_url_link("u"),
            ],
            check,
        )
