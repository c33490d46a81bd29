"""What error trackers record: no repr fails or tells a secret."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tests.public_names import walk_public
from wechat_msg import PushSettings
from wechat_msg._tracebacks import define, frozen, safe_repr

SECRET = "SecretOfAnyKindThatNobodyMaySee1"


def catch(function: Callable[..., Any], *args: Any, **options: Any) -> BaseException | None:
    """Return the error that a call raises."""
    try:
        function(*args, **options)
    except Exception as error:
        return error
    return None


class TestEveryPublicName:
    def test_that_is_a_class_has_a_repr_while_it_is_half_made(self):
        listed, count = [], 0
        for place, cls in walk_public(inspect.isclass):
            author = next(base for base in cls.__mro__ if "__repr__" in vars(base))
            if author.__module__.startswith("wechat_msg") and catch(cls.__new__, cls) is None:  # a tuple is never half
                error = catch(repr, cls.__new__(cls))
                listed += [] if error is None else [f"{place}: {error!r}"]
                count += 1
        assert listed == []
        assert count > 200


class TestRecords:
    def test_show_what_they_are_while_they_are_half_made(self):
        @frozen(kw_only=True)
        class Frozen:
            name: str

        @define
        class Defined:
            name: str

        for cls in (Frozen, Defined):
            assert repr(cls(name="a")).endswith(f"{cls.__name__}(name='a')")
            assert repr(cls.__new__(cls)) == f"<{cls.__name__}, not initialised>"
        assert repr(PushSettings.__new__(PushSettings)) == "<PushSettings, not initialised>"

    def test_show_no_secret_whatever_of_them_is_made(self):
        """As where a validator refuses one value after others have been set."""
        half_made = PushSettings.__new__(PushSettings)
        for name in ("token", "encoding_aes_key", "previous_tokens", "previous_encoding_aes_keys", "tokens"):
            object.__setattr__(half_made, name, SECRET)
            assert SECRET not in repr(half_made)

    def test_of_a_class_of_ones_own_may_be_as_safe(self):
        class Own:
            @safe_repr
            def __repr__(self) -> str:
                return self.missing

        assert repr(Own()) == "<Own, not initialised>"
