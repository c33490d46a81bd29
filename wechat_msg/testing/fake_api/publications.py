"""Publications of drafts: what they become, and when."""

from __future__ import annotations

from typing import Any

from attrs import field

from wechat_msg._tracebacks import define

__all__ = ["Publication"]

_PUBLISHED, _PUBLISHING, _NOT_ORIGINAL, _REFUSED, _ALL_DELETED = 0, 1, 2, 4, 5


@define
class Publication:
    """A publication.

    Attributes:
        publish_id: Id of the publication.
        article_id: Id of the articles once they are published.
        articles: The articles, as `freepublish/getarticle` returns them.
        ends_at: When the publication ends, in seconds since the epoch.
        outcome: publish_status at the end.
    """

    publish_id: str
    article_id: str
    articles: list[dict[str, Any]] = field(repr=False)
    ends_at: float
    outcome: int

    def get_status(self, now: float) -> int:
        """Return the publish_status at *now*."""
        if now < self.ends_at:
            return _PUBLISHING
        is_gone = self.outcome == _PUBLISHED and all(article["is_deleted"] for article in self.articles)
        return _ALL_DELETED if is_gone else self.outcome

    def to_json(self, now: float) -> dict[str, Any]:
        """Return the answer of ``freepublish/get`` at *now*."""
        status, numbers = self.get_status(now), range(1, len(self.articles) + 1)
        found: dict[str, Any] = {"publish_id": self.publish_id, "publish_status": status}
        if status == _PUBLISHED:
            urls = [{"idx": idx, "article_url": self.articles[idx - 1]["url"]} for idx in numbers]
            found |= {"article_id": self.article_id, "article_detail": {"count": len(urls), "item": urls}}
        return found | {"fail_idx": list(numbers) if status in (_NOT_ORIGINAL, _REFUSED) else []}
