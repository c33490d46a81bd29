"""The functions of `wechat_msg.api` that ``wechat-msg call`` can call, and their arguments as words."""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import json
import pkgutil
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Union

from attrs import field

from wechat_msg import api
from wechat_msg._tracebacks import frozen
from wechat_msg.api import Call, Pages
from wechat_msg.cli.files import read_input
from wechat_msg.cli.language import Failure
from wechat_msg.cli.output import Output
from wechat_msg.testing.bilingual import Text, label, same

__all__ = ["APIFunction", "find_function", "list_functions", "read_json"]

_STRUCTURES = frozenset([Mapping, Iterable])
_SCALARS = frozenset([str, int, float, bool])
_WHAT = {
    int: Text("a number", "数字"),
    float: Text("a number", "数字"),
    bool: Text("true or false", "true 或 false"),
    Mapping: Text("JSON, or @FILE with it", "JSON，或包含 JSON 的 @文件"),
    PathLike: Text("@FILE, a file to upload", "@文件，即要上传的文件"),
}


@frozen
class APIFunction:
    """A function of `wechat_msg.api` that words can call.

    Attributes:
        name: Its name, such as ``user.get_info``.
        function: The function.
        takes: The kinds of values that each parameter takes; without those that words cannot give.
        positional: The parameters that need no name, in order.
        required: The parameters without a default.
        takes_more: Whether it takes members of any other name.
        returns_file: Whether the result of its call is a file.
        transfers: Whether it has a parameter ``progress``.
    """

    name: str
    function: Callable[..., Any] = field(repr=False)
    takes: Mapping[str, frozenset[Any]]
    positional: Sequence[str]
    required: Sequence[str]
    takes_more: bool
    returns_file: bool
    transfers: bool

    @property
    def summary(self) -> str:
        """The first line of its docstring: WeChat's name for it, and what it does."""
        return (self.function.__doc__ or "").partition("\n")[0]

    @property
    def usage(self) -> str:
        """The parameters, as on the command line: ``openid [lang=]``."""
        named = [each for each in self.takes if each not in self.positional]
        parts = [each if each in self.required else f"[{each}]" for each in self.positional]
        parts += [f"{each}=" if each in self.required else f"[{each}=]" for each in named]
        return " ".join(parts + ["[name=]..."] * self.takes_more)

    def read_arguments(self, output: Output, words: Sequence[str]) -> dict[str, Any]:
        """Return the arguments that the words give, by the names of the parameters.

        Args:
            output: Says that standard input is read, if a word is ``@-``.
            words: The values, in order, or ``name=value``.

        Raises:
            Failure: There are too many or too few, or one is not what its parameter takes.
        """
        given: dict[str, str] = {}
        for word in words:
            name, equals, value = word.partition("=")
            if not equals or not (name in self.takes or (self.takes_more and name.isidentifier())):
                name, value = next((each for each in self.positional if each not in given), ""), word
            if not name:
                raise self._refuse(Text("too many arguments", "参数过多"))  # they may be secrets
            if name in given:
                raise self._refuse(Text(f"{name} is given twice", f"参数 {name} 重复"))
            given[name] = value
        missing = ", ".join(name for name in self.required if name not in given)
        if missing:
            raise self._refuse(Text(f"missing: {missing}", f"缺少参数：{missing}"))
        return {name: _read(output, name, self.takes.get(name, _SCALARS | _STRUCTURES), given[name]) for name in given}

    def _refuse(self, why: Text) -> Failure:
        return Failure(
            Text(
                f"{self.name}: {why.en}; usage: {self.name} {self.usage}",
                f"{self.name}：{why.zh}；用法：{self.name} {self.usage}",
            )
        )


# --- values -----------------------------------------------------------------------------------------------------------


def _read(output: Output, name: str, takes: frozenset[Any], word: str) -> Any:
    """Return the value of a word: a file, JSON of a kind that the parameter takes, or the text itself."""
    if takes == {str}:
        return word
    if PathLike in takes:
        if not word.startswith("@"):
            raise _refuse_value(name, PathLike)
        return word.removeprefix("@")
    takes_structures = not takes.isdisjoint(_STRUCTURES)
    if takes_structures and word.startswith("@"):
        return read_json(output, word.removeprefix("@"))
    try:
        value = json.loads(word)
    except (ValueError, RecursionError):
        value = word
    if type(value) in takes or (takes_structures and isinstance(value, (dict, list))):
        return value
    if str in takes:
        return word
    raise _refuse_value(name, next((kind for kind in _WHAT if kind in takes), Mapping))


def _refuse_value(name: str, kind: Any) -> Failure:
    what = _WHAT[kind]
    return Failure(Text(f"{name} must be {what.en}", f"{name} 应为{what.zh}"))


def read_json(output: Output, path: str) -> Any:
    """Read a JSON file, or standard input if *path* is ``-``.

    Raises:
        Failure: It is not readable, or is not JSON.
    """
    content = read_input(output, path)
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Failure(Text(f"{path} is not UTF-8", f"{path} 不是 UTF-8 编码")) from None
    except json.JSONDecodeError as error:
        place = f"{error.lineno}:{error.colno}"
        raise Failure(Text(f"{path}:{place}: not JSON: {error.msg}", f"{path}:{place}：不是有效的 JSON")) from None
    except RecursionError:
        raise Failure(Text(f"{path} is nested too deeply", f"{path} 嵌套过深")) from None


# --- functions --------------------------------------------------------------------------------------------------------


def find_function(name: str) -> APIFunction:
    """Return the function of this name, such as ``user.get_info``.

    Raises:
        Failure: There is none; the text suggests the most similar one.
    """
    functions = list_functions()
    if found := functions.get(name):
        return found
    text = label(Text("wechat_msg.api has no function", "没有这个函数"), same(name))
    if close := difflib.get_close_matches(name, functions, n=1):
        text = Text(f"{text.en}; did you mean {close[0]}?", f"{text.zh}，是不是 {close[0]}？")
    raise Failure(text)


@functools.cache
def list_functions() -> dict[str, APIFunction]:
    """Return all functions that words can call, by their names."""
    names: dict[Callable[..., Any], str] = {}
    for name, function in _walk():
        names.setdefault(function, name)  # a package comes before its modules, from which it has its names
    listed = [each for function, name in names.items() if (each := _describe(name, function)) is not None]
    return {each.name: each for each in sorted(listed, key=lambda each: each.name)}


def _walk() -> Iterator[tuple[str, Callable[..., Any]]]:
    yield "raw_call", api.raw_call
    prefix = f"{api.__name__}."
    for each in pkgutil.walk_packages(api.__path__, prefix):
        topic = each.name.removeprefix(prefix)
        if topic.partition(".")[0] in api.__all__:
            module = importlib.import_module(each.name)
            for name in getattr(module, "__all__", ()):
                if inspect.isfunction(value := getattr(module, name)):
                    yield f"{topic}.{name}", value


def _describe(name: str, function: Callable[..., Any]) -> APIFunction | None:
    """Return how words call a function; None if they cannot."""
    hints = typing.get_type_hints(function)
    returned = hints.pop("return")
    parameters = inspect.signature(function).parameters.values()
    plain = [each for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD]
    takes = {each.name: kinds for each in plain if (kinds := _list_kinds(hints[each.name]))}
    required = [each.name for each in plain if each.default is inspect.Parameter.empty]
    if (typing.get_origin(returned) or returned) not in (Call, Pages, str) or not takes.keys() >= set(required):
        return None
    return APIFunction(
        name,
        function,
        takes,
        [each.name for each in plain if each.kind is not inspect.Parameter.KEYWORD_ONLY and each.name in takes],
        required,
        takes_more=len(plain) < len(parameters),
        returns_file="into" in hints,
        transfers="progress" in hints,
    )


def _list_kinds(hint: Any) -> frozenset[Any]:
    """Return the kinds of values in a type: scalars, Mapping and Iterable for JSON; PathLike alone for a file."""
    if hint is Any:
        return _STRUCTURES
    parts = typing.get_args(hint) if typing.get_origin(hint) in (Union, types.UnionType) else (hint,)
    kinds = frozenset(typing.get_origin(part) or part for part in parts)
    return frozenset([PathLike]) if PathLike in kinds else kinds & (_SCALARS | _STRUCTURES)
