"""The pytest plugin: fixtures for all tests of a project that has the package installed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wechat_msg.settings import PushSettings
    from wechat_msg.testing import FakeWeChatAPI, PushSimulator, VirtualClock

# pytest loads this module in every project that has the package installed: it must import nothing else at load.

__all__ = ["fake_wechat_api", "wechat_clock", "wechat_push"]


@pytest.fixture
def wechat_push(request: pytest.FixtureRequest) -> Iterator[Callable[..., PushSimulator]]:
    """WeChat's side: ``wechat_push(url, settings, ...)`` returns a `PushSimulator`, closed after the test.

    Without settings it reads the environment, as ``PushSettings.from_env`` does. In a test that also uses the fixture
    ``fake_wechat_api``, both play the same account: the API receives what users do. In one that uses ``wechat_clock``,
    time passes on that clock.
    """
    from wechat_msg.settings import PushSettings
    from wechat_msg.testing import PushSimulator

    # Requested here so that they are closed after the simulators.
    used = {
        option: request.getfixturevalue(name)
        for option, name in (("api", "fake_wechat_api"), ("clock", "wechat_clock"))
        if name in request.fixturenames
    }

    with contextlib.ExitStack() as opened:

        def make(url: str, settings: PushSettings | None = None, **options: Any) -> PushSimulator:
            options = {**used, **options}
            return opened.enter_context(PushSimulator(url, settings or PushSettings.from_env(), **options))

        yield make


@pytest.fixture
def fake_wechat_api() -> Iterator[FakeWeChatAPI]:
    """WeChat's API at a local address: ``Client(api.appid, api.secret, hosts=[api.url])``."""
    from wechat_msg.testing import FakeWeChatAPI

    with FakeWeChatAPI() as api:
        yield api


@pytest.fixture
def wechat_clock() -> Iterator[VirtualClock]:
    """A `VirtualClock`, closed after the test; the simulators of ``wechat_push`` are on it."""
    from wechat_msg.testing import VirtualClock

    with VirtualClock() as clock:
        yield clock
