"""Find the endpoint of an application that a command names as ``MODULE:ENDPOINT``, and split such names."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from wechat_msg.cli.language import Failure
from wechat_msg.endpoint import AsyncPushEndpoint, PushEndpoint
from wechat_msg.endpoint.administration import AnyEndpoint
from wechat_msg.errors import WeChatError
from wechat_msg.testing.bilingual import Text, label, same
from wechat_msg.testing.details import explain_error

__all__ = ["load_endpoint", "split_name"]

_FORM = Text(
    "must be {form}, as in app:endpoint for the variable endpoint of app.py",
    "格式为 {form}，例如 app:endpoint 表示 app.py 中的变量 endpoint",
)


def load_endpoint(name: str) -> AnyEndpoint:
    """Import an endpoint; the current folder comes first, as it does for a server.

    Args:
        name: The module and the name in it, joined by a colon; both may have dots.

    Raises:
        Failure: There is no such endpoint; the text says why, without the text of an error of the application.
    """
    module_name, path = split_name(name, "MODULE:ENDPOINT")
    if "" not in sys.path:
        sys.path.insert(0, "")
    module, found = _import(module_name, path)
    if isinstance(found, PushEndpoint | AsyncPushEndpoint):
        return found
    if found is None:
        why = Text(f"{module_name} has no {path}", f"{module_name} 中没有 {path}")
    else:
        kind = type(found).__name__
        why = Text(
            f"{name} is a {kind}, not a PushEndpoint or an AsyncPushEndpoint",
            f"{name} 是 {kind}，不是 PushEndpoint 或 AsyncPushEndpoint",
        )
    raise Failure(_suggest(why, module))


def split_name(name: str, form: str) -> tuple[str, str]:
    """Return the module and the path in it.

    Raises:
        Failure: The name has another form than *form*, such as ``MODULE:ENDPOINT``.
    """
    module_name, _, path = name.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), *path.split("."))):
        raise Failure(label(same(name), _FORM.format(form=form)))
    return module_name, path


def _import(name: str, path: str) -> tuple[ModuleType, Any]:
    """Return a module and what it has at a path; None if there is nothing."""
    try:
        module = importlib.import_module(name)
        found: Any = module
        for part in path.split("."):
            found = getattr(found, part, None)
    except (Exception, SystemExit) as error:  # noqa: BLE001, a module of the user's may raise anything
        missing = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
        if missing and f"{name}.".startswith(f"{missing}."):
            text = Text(
                f"there is no module {missing}, neither in this folder nor installed",
                f"找不到模块 {missing}：当前目录下没有，也没有安装",
            )
            raise Failure(text) from None
        what, place = _explain(error, missing), _find_place(error)
        raise Failure(
            Text(
                f'cannot import {name}: {what.en}{place} (python -c "import {name}" shows all of it)',
                f'无法导入 {name}：{what.zh}{place}（python -c "import {name}" 可查看详情）',
            )
        ) from None
    return module, found


def _explain(error: BaseException, missing: str) -> Text:
    """Return the kind of an error; its own text only if it is one of this package, as others may have secrets."""
    kind = same(type(error).__name__)
    if missing:
        return label(kind, Text(f"{missing} is not installed", f"没有安装 {missing}"))
    return label(kind, explain_error(error)) if isinstance(error, WeChatError) else kind


def _find_place(error: BaseException) -> str:
    """Return the file and the line of the application where an error was raised, if it is known."""
    if isinstance(error, SyntaxError):
        places = [(error.filename or "", error.lineno)]
    else:
        places = [(each.filename, each.lineno) for each in reversed(traceback.extract_tb(error.__traceback__))]
    folder = Path.cwd()
    found = next(((file, line) for file, line in places if file and Path(file).is_relative_to(folder)), None)
    return f" [{Path(found[0]).relative_to(folder)}:{found[1]}]" if found else ""


def _suggest(why: Text, module: ModuleType) -> Text:
    """Append the endpoints of the module, if there are any."""
    names = [each for each, value in vars(module).items() if isinstance(value, PushEndpoint | AsyncPushEndpoint)]
    if not names:
        return why
    known = ", ".join(f"{module.__name__}:{each}" for each in sorted(names))
    return Text(f"{why.en}; did you mean {known}?", f"{why.zh}，是不是 {known}？")
