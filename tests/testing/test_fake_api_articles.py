"""Drafts, publications and comments of FakeWeChatAPI, as a client of the package sees them."""

from __future__ import annotations

import pytest

from tests.helpers.rows import check_rows
from wechat_msg import APIError, Client, PublishJobFinishEvent, PushEndpoint, PushSettings, Router, SettingsError
from wechat_msg.adapters.wsgi import push_app
from wechat_msg.api import autoreply, comment, draft, freepublish, mass, material
from wechat_msg.testing import FakeWeChatAPI, PushSimulator

NOW = 1_763_703_600.0
UNKNOWN = "not a media id"


@pytest.fixture
def wechat():
    with FakeWeChatAPI(clock=lambda: NOW) as wechat:
        yield wechat


@pytest.fixture
def client(wechat):
    with Client(wechat.appid, wechat.secret, hosts=[wechat.url]) as client:
        yield client


@pytest.fixture
def cover(client):
    return client.call(material.add_material("thumb", b"\xff\xd8\xff")).media_id


@pytest.fixture
def draft_id(client, cover):
    return client.call(draft.add([make_news(cover), make_news(cover, title="second")]))


def make_news(cover, **changes):
    return draft.News(**{"title": "first", "content": "<p>Hello</p>", "thumb_media_id": cover, **changes})


def errcode_of(client, call):
    """Return the errcode of a call; 0 if it succeeds."""
    try:
        client.call(call)
    except APIError as error:
        return error.errcode
    return 0


class TestDrafts:
    def test_are_stored_changed_listed_and_deleted(self, client, cover, draft_id):
        client.call(draft.update(draft_id, make_news(cover, title="third", author="Anna"), index=1))
        stored = client.call(draft.get(draft_id)).news_item
        assert [(each.title, each.author, each.article_type) for each in stored] == [
            ("first", None, "news"),
            ("third", "Anna", "news"),
        ]
        assert client.call(draft.get_count()) == 1
        client.call(draft.delete(draft_id))
        assert list(client.iterate(draft.iterate_drafts())) == []
        assert errcode_of(client, draft.get(draft_id)) == 40007

    def test_come_in_pages_newest_first(self, client, cover):
        ids = [client.call(draft.add([make_news(cover, title=str(number))])) for number in range(23)]
        listed = list(client.iterate(draft.iterate_drafts()))
        assert [item.media_id for item in listed] == ids[::-1]
        assert {(item.update_time, item.news_item[0].content) for item in listed} == {(int(NOW), "<p>Hello</p>")}
        page = client.call(draft.batch_get(offset=22, no_content=True))
        assert (page.total_count, page.item[0].news_item[0].content) == (23, "")

    def test_of_pictures_need_permanent_pictures(self, client):
        picture = client.call(material.add_material("image", b"\xff\xd8\xff")).media_id

        def check(image_media_ids, errcode):
            article = draft.NewsPic(title="t", content="c", image_media_ids=image_media_ids)
            assert errcode_of(client, draft.add([article])) == errcode

        check_rows(
            [([picture], 0), ([picture] * 20, 0), ([picture] * 21, 40035), ([], 40035), ([UNKNOWN], 40007)], check
        )

    def test_are_refused_if_invalid(self, client, cover):
        def check(changes, errcode):
            assert errcode_of(client, draft.add([make_news(cover, **changes)])) == errcode

        rows = [
            ({"title": "长" * 32, "author": "长" * 16, "digest": "长" * 128, "content": "长" * 20_000}, 0),
            ({"title": "长" * 33}, 45003),
            ({"author": "长" * 17}, 40035),
            ({"digest": "长" * 129}, 45004),
            ({"content": "长" * 20_001}, 45002),
            ({"title": ""}, 40035),
            ({"thumb_media_id": UNKNOWN}, 40007),
        ]
        check_rows(rows, check)
        body = {"articles": make_news(cover).to_json()}
        with pytest.raises(APIError, match="44003"):
            client.raw_call("POST", "/cgi-bin/draft/add", json=body)

    def test_lose_their_scripts_and_foreign_pictures(self, client, cover):
        url = client.call(material.upload_image(b"\xff\xd8\xff"))
        kept = f'<p>a<img src="{url}">b'
        content = f'{kept}<script>alert("x")</script><img alt="" src="https://example.com/a.png">c</p>'
        media_id = client.call(draft.add([make_news(cover, content=content)]))
        assert client.call(draft.get(media_id)).news_item[0].content == f"{kept}c</p>"

    def test_can_be_previewed_but_are_no_material(self, client, draft_id):
        assert client.call(mass.preview(mass.MpNews(media_id=draft_id), openid="oUSER")).msg_id
        assert errcode_of(client, material.get_news_material(draft_id)) == 40007
        assert client.call(material.get_material_count()).news_count == 0


class TestPublications:
    def test_take_their_time(self, wechat, client, draft_id):
        wechat.publish_seconds = 60
        publish_id = client.call(freepublish.submit(draft_id)).publish_id
        assert client.call(freepublish.get(publish_id)).publish_status == 1
        assert client.call(freepublish.batch_get()).total_count == 0
        wechat.advance(60)
        status = client.call(freepublish.get(int(publish_id)))
        assert (status.publish_status, [each.idx for each in status.article_detail.item]) == (0, [1, 2])
        (item,) = client.iterate(freepublish.iterate_published())
        assert (item.article_id, item.update_time) == (status.article_id, int(NOW) + 60)
        articles = client.call(freepublish.get_article(status.article_id)).news_item
        assert [each.url for each in articles] == [each.article_url for each in status.article_detail.item]

    def test_use_up_the_draft(self, client, draft_id):
        client.call(freepublish.submit(draft_id))
        assert errcode_of(client, freepublish.submit(draft_id)) == 40007
        assert client.call(draft.get_count()) == 0

    def test_fail_if_planned(self, wechat, client, draft_id):
        def check(outcome, fail_idx):
            wechat.publish_status = outcome
            status = client.call(freepublish.get(client.call(freepublish.submit(draft_id)).publish_id))
            assert (status.publish_status, status.fail_idx, status.article_id) == (outcome, fail_idx, None)

        check_rows([(2, (1, 2)), (3, ()), (4, (1, 2))], check)
        assert client.call(freepublish.batch_get()).item == ()

    def test_can_be_deleted_in_part_and_as_a_whole(self, client, draft_id):
        publish_id = client.call(freepublish.submit(draft_id)).publish_id
        article_id = client.call(freepublish.get(publish_id)).article_id
        client.call(freepublish.delete(article_id, index=2))
        articles = client.call(freepublish.get_article(article_id)).news_item
        assert [each.is_deleted for each in articles] == [0, 1]
        client.call(freepublish.delete(article_id))
        assert client.call(freepublish.get(publish_id)).publish_status == 5
        assert errcode_of(client, freepublish.get_article(article_id)) == 40035

    def test_are_refused_for_an_account_that_is_not_verified(self, wechat, client, draft_id):
        wechat.verified = False
        assert errcode_of(client, freepublish.submit(draft_id)) == 48001

    def test_end_with_an_event_that_a_simulator_can_push(self, wechat, client, draft_id):
        settings, router, received = PushSettings(token="spamtest"), Router(), []
        router.on(PublishJobFinishEvent)(received.append)
        bot = PushSimulator("/", settings, wsgi=push_app(PushEndpoint(settings, router)))
        publish_id = client.call(freepublish.submit(draft_id)).publish_id
        for each in ("xml", "json"):
            assert bot.push(wechat.make_publish_event(publish_id), format=each).is_acknowledged
        status = client.call(freepublish.get(publish_id))
        xml, json = (event.publish_event_info for event in received)
        assert xml == json
        assert (xml.publish_id, xml.article_id) == (publish_id, status.article_id)
        assert received[1].raw["PublishEventInfo"] == status.raw

    def test_have_an_event_only_if_they_exist(self, wechat):
        with pytest.raises(SettingsError, match="publish_id"):
            wechat.make_publish_event("1")


class TestComments:
    def test_are_listed_elected_answered_and_deleted(self, wechat, client):
        first, second = (wechat.add_comment(7, openid, "good") for openid in ("oUSER", "oUSER2"))
        wechat.add_comment(7, "oUSER", "of the second article", index=1)
        client.call(comment.mark_elect(7, second))
        client.call(comment.add_reply(7, second, "thanks"))
        (elected,) = client.call(comment.list_comments(7, type=2)).comment
        assert (elected.user_comment_id, elected.openid, elected.reply[0].content) == (second, "oUSER2", "thanks")
        client.call(comment.unmark_elect(7, second))
        client.call(comment.delete_reply(7, second))
        client.call(comment.delete(7, first))
        (left,) = client.iterate(comment.iterate_comments(7))
        assert (left.comment_type, left.reply) == (0, ())
        assert client.call(comment.list_comments(7, index=1)).total == 1
        assert errcode_of(client, comment.mark_elect(7, first)) == 40035

    def test_come_in_pages(self, wechat, client):
        ids = [wechat.add_comment(7, "oUSER", str(number)) for number in range(60)]
        assert [each.user_comment_id for each in client.iterate(comment.iterate_comments(7))] == ids
        assert errcode_of(client, comment.list_comments(7, count=50)) == 40035


def test_automatic_replies_have_keywords(client):
    found = client.call(autoreply.get_current())
    assert found.keyword_autoreply_info[0].keyword_list_info[0].content == "几点"
