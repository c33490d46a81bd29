"""Cases of comment."""

from __future__ import annotations

from tests.api.cases.case import Case
from wechat_msg.api import comment

BIG = 2247483650
COMMENTS = {
    "errcode": 0,
    "errmsg": "ok",
    "total": 60,
    "comment": [
        {
            "user_comment_id": 1,
            "openid": "oUSER",
            "create_time": 1700000000,
            "content": " 好文\n",
            "comment_type": True,
            "reply": [{"content": "谢谢", "create_time": 1700000060}],
        },
        {"user_comment_id": 2, "openid": "oUSER2", "create_time": 1700000001, "content": "？", "comment_type": 0},
    ],
}
PAGE = comment.CommentPage(
    total=60,
    comment=(
        comment.Comment(
            user_comment_id=1,
            openid="oUSER",
            create_time=1700000000,
            content=" 好文\n",
            comment_type=1,
            reply=(comment.CommentReply(content="谢谢", create_time=1700000060),),
        ),
        comment.Comment(
            user_comment_id=2, openid="oUSER2", create_time=1700000001, content="？", comment_type=0, reply=()
        ),
    ),
    begin=49,
)
#: Functions that concern one comment, and the last parts of their paths.
ABOUT_ONE = {
    "mark_elect": "markelect",
    "unmark_elect": "unmarkelect",
    "delete": "delete",
    "delete_reply": "reply/delete",
}

CASES = [
    *(
        Case(
            f"comment.{name}_comments",
            getattr(comment, f"{name}_comments")(BIG, **index),
            "POST",
            f"/cgi-bin/comment/{name}",
            json={"msg_data_id": BIG, **index},
        )
        for name in ("open", "close")
        for index in ({}, {"index": 1})
    ),
    Case(
        "comment.list_comments",
        comment.list_comments(BIG, index=0, begin=49, count=2, type=2),
        "POST",
        "/cgi-bin/comment/list",
        json={"msg_data_id": BIG, "index": 0, "begin": 49, "count": 2, "type": 2},
        answer=COMMENTS,
        result=PAGE,
    ),
    Case(
        "comment.iterate_comments",
        comment.iterate_comments("2247483650").first,
        "POST",
        "/cgi-bin/comment/list",
        json={"msg_data_id": "2247483650", "begin": 0, "count": 49, "type": 0},
        answer={"errcode": 0, "errmsg": "ok", "total": 0},
        result=comment.CommentPage(),
    ),
    Case(
        "comment.iterate_comments",
        comment.iterate_comments(BIG, index=1, type=1).next_of(PAGE),
        "POST",
        "/cgi-bin/comment/list",
        json={"msg_data_id": BIG, "index": 1, "begin": 51, "count": 49, "type": 1},
        answer={"total": 51, "comment": []},
        result=comment.CommentPage(total=51, begin=51),
    ),
    *(
        Case(
            f"comment.{name}",
            getattr(comment, name)(BIG, 7, **index),
            "POST",
            f"/cgi-bin/comment/{path}",
            json={"msg_data_id": BIG, "user_comment_id": 7, **index},
        )
        for name, path in ABOUT_ONE.items()
        for index in ({}, {"index": 1})
    ),
    Case(
        "comment.add_reply",
        comment.add_reply(BIG, 7, "谢谢", index=1),
        "POST",
        "/cgi-bin/comment/reply/add",
        json={"msg_data_id": BIG, "user_comment_id": 7, "content": "谢谢", "index": 1},
    ),
]
