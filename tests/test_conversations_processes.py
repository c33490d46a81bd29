"""Several processes change the state of one user at once, and no change is lost."""

from __future__ import annotations

import subprocess
import sys

import pytest
import redis

from tests.helpers.counting_worker import MESSAGE, Count
from tests.helpers.redis_server import run_redis
from tests.helpers.servers import ROOT
from wechat_msg import Conversations, SQLiteStore
from wechat_msg.stores.redis import RedisStore

UPDATES = 1000


def run_workers(place: str) -> None:
    """Change the state in two sync and two async processes; each async one has two tasks."""
    command = [sys.executable, "-m", "tests.helpers.counting_worker"]
    kinds = ("sync", "async", "sync", "async")
    workers = [
        subprocess.Popen([*command, kind, place, str(UPDATES // len(kinds))], cwd=ROOT, stderr=subprocess.PIPE)
        for kind in kinds
    ]
    errors = [worker.communicate()[1].decode() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4, errors


def test_no_update_of_four_processes_is_lost_in_a_file(tmp_path):
    run_workers(str(tmp_path / "store.db"))
    with SQLiteStore(tmp_path / "store.db") as store, Conversations(store, Count).open(MESSAGE) as state:
        assert state.count == UPDATES


@pytest.mark.endurance
def test_no_update_of_four_processes_is_lost_in_redis():
    with run_redis() as server:
        run_workers(server.url)
        with (
            redis.Redis.from_url(server.url) as client,
            Conversations(RedisStore(client), Count).open(MESSAGE) as state,
        ):
            assert state.count == UPDATES
