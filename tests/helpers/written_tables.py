"""The tables of docs/models.md and docs/calling.md, which are written from the code.

``python -m tests.helpers.written_tables --write`` (`make tables`) writes them into the pages.
``python -m tests.helpers.written_tables docs/models.md`` prints the page as it should be.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import attrs

import wechat_msg
import wechat_msg.api
from tests.helpers.documents import ROOT
from wechat_msg import Event, Message, UserMessage, events, messages

# --- the tables of the models ----------------------------------------------------------------------------------------


def render_models() -> dict[str, str]:
    """Return the tables of docs/models.md by their names."""
    names = [*messages.__all__, *events.__all__]
    everything = [each for name in names if isinstance(each := getattr(wechat_msg, name, None), type)]
    everything.sort(key=lambda cls: (*module_order(cls), inspect.getsourcelines(cls)[1]))
    typed = [cls for cls in everything if issubclass(cls, Message) and cls.wire_type]
    common = [render_row([f"`{cls.__name__}`"], cls, base) for cls, base in COMMON.items()]
    own = [cls for cls in typed if not issubclass(cls, Event)]
    parts = [cls for cls in everything if not issubclass(cls, Message)]
    return {
        "common": "\n".join(["| Class | What it is | Always there | May be `None` |", "|---" * 4 + "|", *common]),
        "messages": render_table("MsgType", own, UserMessage),
        "events": "\n\n".join(render_topics([cls for cls in typed if issubclass(cls, Event)])),
        "parts": render_table("Class", parts, None),
        "spellings": render_spellings([*typed, *parts]),
    }


#: Each base class that is shown, with the one whose attributes are left out.
COMMON: dict[type, type | None] = {Message: None, UserMessage: Message, Event: Message}


FIRST_TOPICS = ["messages", "relation", "menu"]


def module_order(cls: type) -> tuple[int, str]:
    name = cls.__module__.rpartition(".")[2]
    return (FIRST_TOPICS.index(name) if name in FIRST_TOPICS else len(FIRST_TOPICS)), name


def render_topics(classes: list[Any]) -> Iterator[str]:
    """Yield a heading and a table per module; the heading is the first sentence of the module's docstring."""
    for module, members in itertools.groupby(classes, lambda cls: cls.__module__):
        title = re.split(r"[.:;](?: |$)", inspect.getdoc(sys.modules[module]).partition("\n")[0])[0]
        yield f"### {title}\n\n{render_table('Event', list(members), Event)}"


def render_table(first: str, classes: list[Any], base: Any) -> str:
    heads = [first] if first == "Class" else [first, "Class"]
    lines = ["| " + " | ".join([*heads, "What it is", "Always there", "May be `None`"]) + " |"]
    lines.append("|---" * (len(heads) + 3) + "|")
    for cls in classes:
        names = " ".join(f"`{name}`" for name in wire_types(cls)) if first != "Class" else ""
        lines.append(render_row([f"`{cls.__name__}`"] if first == "Class" else [names, f"`{cls.__name__}`"], cls, base))
    return "\n".join(lines)


def wire_types(cls: Any) -> list[str]:
    others = [name for name in events.base.EVENTS.names_of(cls) if name != cls.wire_type.lower()]
    return [cls.wire_type, *(name.upper() if cls.wire_type.isupper() else name for name in others)]


def render_row(first: list[str], cls: Any, base: Any) -> str:
    inherited = {each.name for each in attrs.fields(base)} if base else set()
    own = [each for each in attrs.fields(cls) if each.name not in inherited]
    always = [render_attribute(cls, each) for each in own if each.default is not None]
    perhaps = [render_attribute(cls, each) for each in own if each.default is None]
    known = dir(base or object)
    properties = [f"`{n}` (property)" for n, v in inspect.getmembers(cls) if isinstance(v, property) and n not in known]
    cells = [*first, render_summary(cls), ", ".join([*always, *properties]), ", ".join(perhaps)]
    return "| " + " | ".join(cells) + " |"


def render_summary(cls: Any) -> str:
    summary = inspect.getdoc(cls).partition("\n")[0].replace("``", "`")
    return re.split(r"\.(?: |$)|: `|; ", summary)[0]


def render_attribute(cls: Any, attribute: attrs.Attribute[Any]) -> str:
    hint = str(attribute.type).replace(" | None", "")
    hint = re.sub(r"tuple\[(\w+), \.\.\.\]", r"tuple of \1", hint.replace("Mapping[str, Any]", "mapping"))
    return f"`{attribute.name}`" if hint == "str" else f"`{attribute.name}` ({hint})"


def render_spellings(classes: list[Any]) -> str:
    found: dict[tuple[str, ...], list[str]] = {}
    for cls in classes:
        for each in attrs.fields(cls):
            wire = each.metadata.get("wechat_msg.wire")
            if wire and len(wire.names) > 1 and each.name != "event":
                found.setdefault((each.name, *wire.names), []).append(cls.__name__)
    lines = ["| Attribute | Wire names | Classes |", "|---|---|---|"]
    for (attribute, *wire_names), owners in found.items():
        cells = [", ".join(f"`{name}`" for name in names) for names in ([attribute], wire_names, owners)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


# --- the tables of the API -------------------------------------------------------------------------------------------


class Topic(NamedTuple):
    """A module of wechat_msg.api that has functions for users."""

    name: str
    title: str
    purpose: str
    functions: dict[str, Any]


def list_topics() -> Iterator[Topic]:
    """Yield every module whose docstring begins with WeChat's name of the topic; other modules are tools."""
    for module in pkgutil.iter_modules(wechat_msg.api.__path__):
        found = importlib.import_module(f"wechat_msg.api.{module.name}")
        title, purpose = split_summary(found)
        if is_chinese(title):
            functions = {name: each for name in found.__all__ if inspect.isfunction(each := getattr(found, name))}
            # In the order of the source, where related functions are together.
            functions = dict(sorted(functions.items(), key=lambda item: source_order(item[1])))
            yield Topic(module.name, title, purpose, functions)


def source_order(function: Any) -> tuple[str, int]:
    return function.__module__, inspect.unwrap(function).__code__.co_firstlineno


def split_summary(documented: Any) -> tuple[str, str]:
    """Return WeChat's name and what follows, of the first line of a docstring."""
    title, _, text = inspect.getdoc(documented).partition("\n")[0].replace("``", "`").partition(": ")
    return title, text.removesuffix(".")


def is_chinese(text: str) -> bool:
    return bool(re.search("[\u4e00-\u9fff]", text))


def render_api() -> dict[str, str]:
    """Return the tables of docs/calling.md by their names."""
    topics = list(list_topics())
    lines = ["| Module | 中文 | What it is for |", "|---|---|---|"]
    lines += [f"| [`{topic.name}`](#{topic.name}) | {topic.title} | {topic.purpose} |" for topic in topics]
    return {"topics": "\n".join(lines), "functions": "\n\n".join(map(render_functions, topics))}


def render_functions(topic: Topic) -> str:
    lines = [f"### {topic.name}", "", "| Function | 中文 | What it does |", "|---|---|---|"]
    for name, function in topic.functions.items():
        title, text = split_summary(function)
        assert is_chinese(title), f"{topic.name}.{name} does not begin with WeChat's name"
        what = re.split(r"; |\. ", text)[0]
        lines.append(f"| `{name}({', '.join(list_required(function))})` | {title} | {what} |")
    return "\n".join(lines)


def list_required(function: Any) -> Iterator[str]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is parameter.empty and parameter.kind != parameter.VAR_KEYWORD:
            yield parameter.name


# --- pages -----------------------------------------------------------------------------------------------------------


def replace_tables(text: str, tables: Mapping[str, str]) -> str:
    """Replace the text between each table's marks by the table."""
    for name, table in tables.items():
        mark = rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)"
        text, count = re.subn(mark, lambda found, new=table: f"{found[1]}\n{new}\n\n{found[2]}", text, flags=re.DOTALL)
        assert count == 1, name
    return text


PAGES = {"docs/models.md": render_models, "docs/calling.md": render_api}


def render_page(page: str) -> str:
    return replace_tables((ROOT / page).read_text("utf-8"), PAGES[page]())


def main(argument: str) -> None:
    if argument != "--write":
        sys.stdout.write(render_page(argument))
        return
    for page in PAGES:
        (ROOT / page).write_text(render_page(page), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
