"""Fixtures of the tests of endpoints: processes on one store, in virtual time."""

from __future__ import annotations

import pytest

from tests.endpoint.test_delivery import ASYNC, EXECUTOR, KINDS
from tests.helpers.processes import World


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> World:
    """Processes with endpoints of each kind."""
    return World(request.param)


@pytest.fixture(params=[EXECUTOR, ASYNC])
def early_world(request: pytest.FixtureRequest) -> World:
    """Those whose endpoints can answer before a handler ends."""
    return World(request.param)
