"""What an error tracker records: an error's text and arguments, and the local variables of every frame."""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

TESTS = str(Path(__file__).parents[1])


def walk_errors(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, its causes and its contexts."""
    seen: list[BaseException] = []
    left = [error]
    while left:
        each = left.pop()
        if each is not None and not any(each is other for other in seen):
            seen.append(each)
            left += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
            yield each


def list_locals(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield the place and value of every local variable outside of the tests; for objects, the repr."""
    for each in walk_errors(error):
        for frame, line in traceback.walk_tb(each.__traceback__):
            if not frame.f_code.co_filename.startswith(TESTS):
                for name, value in frame.f_locals.items():
                    yield f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}: {name}", show(value)


def list_arguments(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield the arguments of the errors."""
    for each in walk_errors(error):
        for shown in (str(each), repr(each), show(each.args), show(vars(each))):
            yield type(each).__name__, shown


def show(value: Any, depth: int = 6) -> str:
    """Write a value as trackers do: containers by their members, other values by their repr."""
    if depth and isinstance(value, Mapping):
        return " ".join(show(part, depth - 1) for pair in value.items() for part in pair)
    if depth and isinstance(value, (list, tuple, set, frozenset)):
        return " ".join(show(part, depth - 1) for part in value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("latin-1")
    return value if isinstance(value, str) else repr_of(value)


def repr_of(value: Any) -> str:
    """Return the repr. It must not fail, except for a document that is too deep."""
    try:
        return repr(value)
    except RecursionError:
        return ""


def find_leaks(error: BaseException, secrets: Iterable[str | bytes]) -> list[str]:
    """Return the places where a tracker's record of an error holds a secret, in any form."""
    needles = {needle for secret in secrets for needle in write_in_all_ways(secret)}
    recorded = [*list_locals(error), *list_arguments(error)]
    return [place for place, text in recorded if any(needle in text for needle in needles)]


def write_in_all_ways(secret: str | bytes) -> set[str]:
    """Return the forms in which text may hold a secret."""
    if isinstance(secret, str):
        return {secret, quote(secret), json.dumps(secret).strip('"'), *write_in_all_ways(secret.encode())}
    return {
        secret.decode("latin-1"),
        repr(secret)[2:-1],
        secret.hex(),
        base64.b64encode(secret).decode().rstrip("="),
    }
