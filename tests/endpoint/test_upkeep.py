"""How a process looks at the lanes of others."""

from __future__ import annotations

from wechat_msg import AnswerLater, PushEndpoint, PushSettings, SQLiteStore
from wechat_msg._flow import Get, drive
from wechat_msg.endpoint.administration import list_kept, perform
from wechat_msg.testing import build_push

SETTINGS = PushSettings(token="spamtest")


class QuietEndpoint(PushEndpoint):
    """An endpoint that does nothing in the background."""

    run_in_background = staticmethod(lambda flow, perform: None)


def make_endpoint(store):
    """Make an endpoint that enqueues, and for which waiting takes no time."""
    now = [0.0]
    return QuietEndpoint(
        SETTINGS,
        lambda _: None,
        store=store,
        late=AnswerLater(print),
        queue=lambda job: None,
        monotonic=lambda: now[0],
        sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
    )


def keep_one(store):
    """Acknowledge a push as a process that ends at once."""
    endpoint = make_endpoint(store)
    assert endpoint.handle(build_push(SETTINGS, {"Content": "hi"})).status == 200
    endpoint.drain(0)


class TestUpkeep:
    def test_finds_what_a_process_kept_after_the_limits_were_read(self, tmp_path):
        """A process took the lane, raised its limit and ended; a lower limit would hide its push for ever."""
        store = SQLiteStore(tmp_path / "store.db")
        watcher, reads = make_endpoint(store), []
        keep_one(store)

        def perform_step(step):
            result = step.perform()
            if isinstance(step, Get) and step.key.endswith(":lanes"):
                reads.append(result)
                if len(reads) == 1:
                    keep_one(store)
            return result

        drive(watcher._upkeep.look_at_all(), perform_step)

        assert len(perform(watcher, list_kept(watcher))) == 2
