"""A playground for each module, and a page of it."""

from __future__ import annotations

import pytest

from tests.helpers.playgrounds import Follower, Page, run_bot, run_playground


@pytest.fixture(scope="module")
def playground():
    with run_bot() as url, run_playground(url, time_limit=0.4) as playground:
        yield playground


@pytest.fixture
def page(playground):
    return Page(playground).log_in()


@pytest.fixture
def chat(page):
    return Follower(page)
