"""图文消息留言: the comments on the articles of an Official Account."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import Any

from wechat_msg.api._arguments import without_none
from wechat_msg.api.call import Call, Pages, post
from wechat_msg.api.results import PageOf, Result, next_offset, no_result
from wechat_msg.fields import content, integer, items, model, timestamp

__all__ = [
    "Comment",
    "CommentPage",
    "CommentReply",
    "add_reply",
    "close_comments",
    "delete",
    "delete_reply",
    "iterate_comments",
    "list_comments",
    "mark_elect",
    "open_comments",
    "unmark_elect",
]

_MAX_PAGE_SIZE = 49

# --- allowing --------------------------------------------------------------------------------------------------------


def open_comments(msg_data_id: int | str, *, index: int | None = None) -> Call[None]:
    """打开已群发文章留言: allow comments on an article.

    Args:
        msg_data_id: Id of the articles, from `mass` or `freepublish.submit`.
        index: Number of the article, from 0 (unconfirmed); None for the first.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
    """
    return _call("open", msg_data_id, index, is_repeatable=True)


def close_comments(msg_data_id: int | str, *, index: int | None = None) -> Call[None]:
    """关闭已群发文章留言: forbid comments on an article; the arguments are those of `open_comments`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
    """
    return _call("close", msg_data_id, index, is_repeatable=True)


def _call(
    name: str, msg_data_id: int | str, index: int | None, *, is_repeatable: bool = False, **members: Any
) -> Call[None]:
    body = without_none(msg_data_id=msg_data_id, index=index, **members)
    return post(f"/cgi-bin/comment/{name}", body, no_result, is_repeatable=is_repeatable)


# --- reading ---------------------------------------------------------------------------------------------------------


@model
class CommentReply:
    """The account's reply to a comment.

    Attributes:
        content: Text of the reply. No repr shows it.
        create_time: Time of the reply, in seconds since the epoch.
    """

    content: str = content("content", default="")
    create_time: int | None = timestamp("create_time", default=None)


@model
class Comment:
    """One comment.

    Attributes:
        user_comment_id: Id of the comment.
        openid: The user.
        content: Text of the comment. No repr shows it.
        comment_type: 1 if it is elected (精选), else 0.
        create_time: Time of the comment, in seconds since the epoch.
        reply: The account's replies.
    """

    user_comment_id: int
    openid: str | None = None
    content: str = content("content", default="")
    comment_type: int | None = None
    create_time: int | None = timestamp("create_time", default=None)
    reply: tuple[CommentReply, ...] = items("reply", CommentReply)


@model
class CommentPage(Result):
    """One page of comments.

    Attributes:
        total: Number of comments of the requested type.
        comment: The comments.
        begin: Number of comments before the page, as requested.
    """

    total: int = integer("total", default=0)
    comment: tuple[Comment, ...] = items("comment", Comment)
    begin: int = 0


def list_comments(
    msg_data_id: int | str, *, index: int | None = None, begin: int = 0, count: int = _MAX_PAGE_SIZE, type: int = 0
) -> Call[CommentPage]:
    """查看指定文章的留言数据: list one page of the comments on an article; `iterate_comments` lists all.

    Args:
        msg_data_id: Id of the articles, from `mass` or `freepublish.submit`.
        index: Number of the article, from 0 (unconfirmed); None for the first.
        begin: Number of comments to skip.
        count: Comments per page, less than 50.
        type: 0 for all comments, 1 for those that are not elected, 2 for the elected ones.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
    """
    body = without_none(msg_data_id=msg_data_id, index=index, begin=begin, count=count, type=type)
    return post("/cgi-bin/comment/list", body, PageOf(CommentPage, begin, "begin"), is_repeatable=True)


def iterate_comments(msg_data_id: int | str, *, index: int | None = None, type: int = 0) -> Pages[CommentPage, Comment]:
    """查看指定文章的留言数据: iterate over the comments on an article; the arguments are those of `list_comments`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
    """
    first = list_comments(msg_data_id, index=index, type=type)
    return Pages(first, attrgetter("comment"), partial(_next_page, msg_data_id, index, type))


def _next_page(msg_data_id: int | str, index: int | None, type: int, page: CommentPage) -> Call[CommentPage] | None:
    begin = next_offset(page.begin, len(page.comment), page.total)
    return None if begin is None else list_comments(msg_data_id, index=index, begin=begin, type=type)


# --- managing --------------------------------------------------------------------------------------------------------


def mark_elect(msg_data_id: int | str, user_comment_id: int, *, index: int | None = None) -> Call[None]:
    """将留言标记精选: elect a comment, so that all readers see it.

    Args:
        msg_data_id: Id of the articles.
        user_comment_id: Id of the comment.
        index: Number of the article, as for `list_comments`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
    """
    return _call("markelect", msg_data_id, index, user_comment_id=user_comment_id, is_repeatable=True)


def unmark_elect(msg_data_id: int | str, user_comment_id: int, *, index: int | None = None) -> Call[None]:
    """将留言取消精选: undo `mark_elect`, whose arguments it has.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
    """
    return _call("unmarkelect", msg_data_id, index, user_comment_id=user_comment_id, is_repeatable=True)


def delete(msg_data_id: int | str, user_comment_id: int, *, index: int | None = None) -> Call[None]:
    """删除留言: delete a comment; the arguments are those of `mark_elect`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
    """
    return _call("delete", msg_data_id, index, user_comment_id=user_comment_id)


def add_reply(msg_data_id: int | str, user_comment_id: int, content: str, *, index: int | None = None) -> Call[None]:
    """回复留言: reply to a comment.

    Args:
        msg_data_id: Id of the articles.
        user_comment_id: Id of the comment.
        content: Text of the reply.
        index: Number of the article, as for `list_comments`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
    """
    return _call("reply/add", msg_data_id, index, user_comment_id=user_comment_id, content=content)


def delete_reply(msg_data_id: int | str, user_comment_id: int, *, index: int | None = None) -> Call[None]:
    """删除回复: delete the reply to a comment; the arguments are those of `mark_elect`.

    Source:
        https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
    """
    return _call("reply/delete", msg_data_id, index, user_comment_id=user_comment_id)
