"""Events of short dramas and books (短剧, 书籍, 小说)."""

from __future__ import annotations

from wechat_msg.events.base import Event, register_event
from wechat_msg.fields import integer, model, nested, text

__all__ = [
    "BookBanStatusChangeEvent",
    "SecbookAudit",
    "SecbookAuditDetail",
    "SecbookAuditEvent",
    "SecvodAudit",
    "SecvodAuditDetail",
    "SecvodAuditEvent",
    "SecvodUpload",
    "SecvodUploadEvent",
    "WxaNovelChapterPermissionEvent",
]


@model
class SecvodUpload:
    """The result of an upload.

    Attributes:
        media_id: The media, a number as text.
        source_context: The text that was given with the upload.
        errcode: 0 for success.
        errmsg: The text of errcode.
    """

    media_id: str | None = text("media_id", default=None)
    source_context: str | None = text("source_context", default=None)
    errcode: int | None = integer("errcode", default=None)
    errmsg: str | None = text("errmsg", default=None)


@register_event("secvod_upload_event")
class SecvodUploadEvent(Event):
    """媒资上传完成: the upload of a video or picture of a drama has ended."""

    upload_event: SecvodUpload = nested("upload_event", SecvodUpload)


@model
class SecvodAuditDetail:
    """The review of a drama.

    Attributes:
        status: The result, a number.
        audit_type: Kind of the review, a number.
        create_time: When it was asked for, in seconds since the epoch.
        audit_time: When it was reviewed, in seconds since the epoch.
    """

    status: int | None = integer("status", default=None)
    audit_type: int | None = integer("audit_type", default=None)
    create_time: int | None = integer("create_time", default=None)
    audit_time: int | None = integer("audit_time", default=None)


@model
class SecvodAudit:
    """The drama that was reviewed, its id a number as text, and the text that was given with it."""

    drama_id: str | None = text("drama_id", default=None)
    source_context: str | None = text("source_context", default=None)
    audit_detail: SecvodAuditDetail | None = nested("audit_detail", SecvodAuditDetail, default=None)


@register_event("secvod_audit_event")
class SecvodAuditEvent(Event):
    """剧目审核状态变更: the state of the review of a drama changed."""

    audit_event: SecvodAudit = nested("audit_event", SecvodAudit)


@model
class SecbookAuditDetail:
    """The review of a book.

    Attributes:
        status: The result, a number.
        create_time: When it was asked for, in seconds since the epoch.
        audit_time: When it was reviewed, in seconds since the epoch.
    """

    status: int | None = integer("status", default=None)
    create_time: int | None = integer("create_time", default=None)
    audit_time: int | None = integer("audit_time", default=None)


@model
class SecbookAudit:
    """The book that was reviewed."""

    book_id: str | None = text("book_id", default=None)
    audit_detail: SecbookAuditDetail | None = nested("audit_detail", SecbookAuditDetail, default=None)


@register_event("secbook_audit_event")
class SecbookAuditEvent(Event):
    """书籍审核状态变更: the state of the review of a book changed."""

    audit_event: SecbookAudit = nested("audit_event", SecbookAudit)


@register_event("book_ban_status_change")
class BookBanStatusChangeEvent(Event):
    """书籍封禁状态变更: a book or a chapter was taken down, or is available again.

    Attributes:
        book_id: The book.
        book_title: Its title.
        chapter_id: The chapter; may be empty.
        chapter_title: Its title; may be empty.
        ban_status: 0 normal, 1 taken down.
        time: When it changed, as received.
    """

    book_id: str | None = text("book_id", default=None)
    book_title: str | None = text("book_title", default=None)
    chapter_id: str | None = text("chapter_id", default=None)
    chapter_title: str | None = text("chapter_title", default=None)
    ban_status: int | None = integer("ban_status", default=None)
    time: str | None = text("time", default=None)


@register_event("wxa_novel_chapter_permission")
class WxaNovelChapterPermissionEvent(Event):
    """小说章节权限查询: WeChat asks which chapters the user may read, and waits for the answer for 4 seconds.

    Attributes:
        book_id: The book.
        chapter_index: Position of the chapter, from 0.
        chapter_id: The chapter.
        custom_server_params: The text that the Mini Program has given for its server.
        source: 0 the chapter is loaded in advance, 1 the user reads it.
        chapter_original_id: The merchant's id of the chapter.
        book_original_id: The merchant's id of the book.
    """

    book_id: str = text("BookId")
    chapter_index: int | None = integer("ChapterIndex", default=None)
    chapter_id: str | None = text("ChapterId", default=None)
    custom_server_params: str | None = text("CustomServerParams", default=None)
    source: int | None = integer("Source", default=None)
    chapter_original_id: str | None = text("ChapterOriginalId", default=None)
    book_original_id: str | None = text("BookOriginalId", default=None)
