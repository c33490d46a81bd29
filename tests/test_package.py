"""The distribution: its public names, its import rules, and the wheel in an environment of its own."""

from __future__ import annotations

import ast
import email
import fcntl
import importlib
import inspect
import json
import os
import pydoc
import subprocess
import sys
import sysconfig
import textwrap
import zipfile
from pathlib import Path

import pytest

import wechat_msg
from tests.helpers.public_names import MODULES, NAMES, PACKAGE, SOURCES, signature_of, walk_functions
from tests.helpers.rows import check_rows

#: Modules whose public classes are all public names of the package.
MODELS = [name for name in NAMES if name.split(".")[1:2] in (["errors"], ["messages"], ["events"], ["replies"])]
FRAMEWORKS = {
    "requests",
    "flask",
    "django",
    "fastapi",
    "starlette",
    "redis",
    "asgiref",
    "httpx",
    "httpx2",
    "click",
    "rich",
    "markdown_it",
    "dotenv",
}

#: Which parts of the package each part may import, and nothing but these.
MAY_IMPORT = {
    "_classes": set(),
    "_tracebacks": {"_classes"},
    "_fork": set(),
    "_lazy": set(),
    "_clock": set(),
    "errors": set(),
    "fields": set(),
    "_mistakes": {"errors"},
    "_validators": {"errors"},
    "signature": {"errors"},
    "crypto": {"_mistakes", "errors"},
    "_cdata": set(),
    "_encrypt": {"errors"},
    "_xml": {"errors"},
    "wire": {"_cdata", "_encrypt", "_xml", "errors"},
    "_json": {"wire"},
    "_markdown": set(),
    "_splitting": set(),
    "text": {"_markdown", "_splitting", "errors", "wire"},
    "messages": {"fields"},
    "events": {"fields", "messages"},
    "replies": {"errors", "wire"},
    "parsing": {"errors", "events", "fields", "messages"},
    "settings": {"_mistakes", "crypto", "errors"},
    "exchange": {"crypto", "errors", "messages", "wire"},
    "answering": {"errors", "events", "exchange", "messages", "replies", "settings", "signature", "wire"},
    "_damage": {"errors", "wire"},
    "push": {
        "_damage",
        "answering",
        "crypto",
        "errors",
        "events",
        "exchange",
        "messages",
        "parsing",
        "settings",
        "signature",
        "wire",
    },
    "stores": {"errors"},
    "_flow": {"stores"},
    "_handlers": {"_flow", "answering", "errors", "messages"},
    "routing": {"_flow", "_handlers", "answering", "errors", "messages"},
    "filters": {"_handlers", "errors", "messages"},
    "endpoint": {
        "_clock",
        "_flow",
        "_handlers",
        "answering",
        "errors",
        "events",
        "exchange",
        "messages",
        "push",
        "replies",
        "settings",
        "stores",
        "text",
        "wire",
    },
    "_state": {"errors"},
    "conversations": {
        "_clock",
        "_flow",
        "_handlers",
        "_state",
        "answering",
        "endpoint",
        "errors",
        "messages",
        "replies",
        "stores",
    },
    "_wsgi_server": set(),
    "adapters": {"endpoint", "errors", "exchange"},
    "api": {"_json", "errors", "fields", "replies", "userdata"},
    "client": {"_flow", "_json", "_wsgi_server", "api", "errors", "signature", "stores"},
    "jssdk": {"api", "errors", "signature"},
    "library": {"_clock", "_flow", "api", "client", "errors", "messages", "replies", "settings", "stores"},
    "userdata": {"_json", "errors", "signature"},
}
#: The same within the package of the endpoints.
WITHIN_ENDPOINT: dict[str, set[str]] = {
    "dedup": set(),
    "late": set(),
    "parts": set(),
    "streams": set(),
    "meanwhile": {"late"},
    "options": {"dedup", "late"},
    "records": {"late"},
    "registry": {"records"},
    "tries": {"records"},
    "lanes": {"records", "registry"},
    "inbox": {"lanes", "records"},
    "kept": {"inbox", "lanes", "records"},
    "answers": {"kept", "late", "options", "parts", "streams"},
    "handling": {"answers", "dedup", "inbox", "kept", "lanes", "late", "meanwhile", "options", "streams"},
    "handback": {"dedup", "handling", "inbox", "late", "records", "registry"},
    "line": {"handling", "records", "registry"},
    "owned": {"dedup", "handback", "handling", "inbox", "kept", "late", "records", "registry", "tries"},
    "sending": {"answers", "handling", "inbox", "kept", "late", "owned", "parts", "registry", "streams"},
    "work": {"answers", "handback", "inbox", "line", "owned", "records", "registry", "sending"},
    "takeover": {"dedup", "handback", "handling", "inbox", "owned", "records", "registry", "sending", "work"},
    "jobs": {"handling", "inbox", "records", "takeover", "work"},
    "delivery": {
        "dedup",
        "handback",
        "handling",
        "inbox",
        "jobs",
        "kept",
        "late",
        "options",
        "records",
        "registry",
        "sending",
        "tries",
        "work",
    },
    "upkeep": {"handback", "handling", "inbox", "jobs", "lanes", "records", "takeover", "work"},
    "drivers": {"dedup", "delivery", "handling", "inbox", "jobs", "kept", "lanes", "late", "options", "upkeep", "work"},
    "__init__": {"dedup", "drivers", "late"},
    "administration": {"dedup", "drivers", "handling", "inbox", "parts", "records", "registry", "upkeep"},
}
MAY_IMPORT["testing"] = set(MAY_IMPORT)
MAY_IMPORT["playground"] = set(MAY_IMPORT)
MAY_IMPORT["cli"] = {*MAY_IMPORT, "__version__"}
MAY_IMPORT["__main__"] = {"cli"}
#: What every part may import.
EVERYWHERE = {"_fork", "_lazy", "_tracebacks", "_validators"}
#: Packages of others that only these parts may import.
ONLY = {
    "Crypto": {"crypto", "userdata"},
    "requests": {"client/sync_transport.py", "client/clients.py"},  # the latter only for the types of its options
    "urllib3": {"client/sync_transport.py"},
    "httpx2": {"client/async_transport.py", "client/clients.py"},
    "xmltodict": {"testing"},
    "flask": {"adapters/flask.py"},
    "django": {"adapters/django.py", "stores/django"},
    "asgiref": {"adapters/django.py"},
    "fastapi": {"adapters/fastapi.py"},
    "starlette": {"adapters/fastapi.py", "playground"},
    "uvicorn": {"playground", "cli/bot_process.py"},
    "click": {"cli"},
    "rich": {"cli"},
    "dotenv": {"cli"},
    "redis": {"stores/redis.py"},
    "markdown_it": {"_markdown"},
    "pytest": {"testing/plugin.py"},
}
#: Parts that are attributes of the package only once they have been imported.
APART = {"testing", "adapters", "playground", "cli"}
#: Only Django reads these attributes; its own classes do not declare their types.
READ_BY_DJANGO = ("wechat_msg.stores.django.apps.", "wechat_msg.stores.django.migrations.")


def part_of(path: Path) -> str:
    """Return the module or subpackage directly below the package that the file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def places_of(path: Path) -> set[str]:
    """Return the part that the file belongs to, the file itself, and every folder between."""
    inside = path.relative_to(PACKAGE)
    return {part_of(path), str(inside), *map(str, inside.parents)}


def imports_of(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            # Of "from wechat_msg import wire" the module is wechat_msg.wire.
            names.update(
                f"{node.module}.{alias.name}" if node.module == "wechat_msg" else node.module for alias in node.names
            )
    return names


def execute(cwd: Path, *command: str | Path, timeout: int = 180) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def run(code: str, *options: str, python: str | Path = sys.executable, cwd: Path) -> str:
    """Run *code* in a fresh interpreter that ignores its directory and the environment variables."""
    return execute(cwd, python, "-I", *options, "-c", textwrap.dedent(code), timeout=60)


class TestPublicNames:
    def test_are_sorted_and_given_once(self):
        def constants_classes_functions(name):
            return not name.isupper(), not name[0].isupper(), name

        assert wechat_msg.__all__ == sorted(set(wechat_msg.__all__), key=constants_classes_functions)

    def test_are_names_of_the_package(self):
        assert [name for name in wechat_msg.__all__ if not hasattr(wechat_msg, name)] == []

    def test_are_all_that_the_package_lists(self):
        public = {name for name in dir(wechat_msg) if not name.startswith("_")}
        public = {name for name in public if not inspect.ismodule(getattr(wechat_msg, name))}
        assert public == set(wechat_msg.__all__) - {"__version__"}

    def test_are_those_that_type_checkers_find(self):
        tree = ast.parse(Path(wechat_msg.__file__).read_bytes())
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        names = [(node.module, alias.name) for node in imports for alias in node.names]
        found = [each for home, name in names for each in importlib.import_module(home).__all__ if name in (each, "*")]
        assert sorted(found) == sorted(set(wechat_msg.__all__) - {"__version__"})

    def test_are_public_names_of_the_modules_that_define_them(self):
        homes = [vars(importlib.import_module(name)) for name in MODULES if name != "wechat_msg"]
        named = {name: getattr(wechat_msg, name) for name in wechat_msg.__all__ if name != "__version__"}
        for home in homes:
            for name in home.get("__all__", ()):
                if name in home and named.get(name) is home[name]:
                    del named[name]
        assert named == {}

    def test_are_imported_with_a_star(self, tmp_path):
        code = "from wechat_msg import *; import wechat_msg; print({*wechat_msg.__all__} <= {*globals()})"
        assert run(code, cwd=tmp_path) == "True"

    def test_no_other_name_exists(self):
        assert not hasattr(wechat_msg, "Nonsense")
        with pytest.raises(ImportError, match="Nonsense"):
            exec("from wechat_msg import Nonsense")

    def test_of_submodules_are_attributes_after_a_plain_import(self, tmp_path):
        modules = [name.split(".")[1] for name in NAMES if name.count(".") == 1 and name.split(".")[1] in MAY_IMPORT]
        names = [name for name in modules if not name.startswith("_") and name not in APART]
        assert "errors" in names
        code = f"import wechat_msg; print([getattr(wechat_msg, name).__name__ for name in {names}])"
        assert run(code, cwd=tmp_path) == repr([f"wechat_msg.{name}" for name in names])

    def test_include_every_model_reply_and_error(self):
        def check(name):
            module = importlib.import_module(name)
            defined = {each for each, value in vars(module).items() if getattr(value, "__module__", None) == name}
            classes = {each for each in defined if inspect.isclass(vars(module)[each]) and not each.startswith("_")}
            assert classes <= set(module.__all__)
            assert classes - {"PushKind"} <= set(wechat_msg.__all__)

        check_rows(MODELS, check)

    def test_of_every_module_exist(self):
        def check(name):
            module = importlib.import_module(name)
            assert [each for each in getattr(module, "__all__", []) if not hasattr(module, each)] == []

        check_rows(MODULES, check)

    def test_of_every_module_of_the_django_app_exist(self, tmp_path):
        """In a process of its own, as models can only be imported where a project is configured."""
        names = [name for name in NAMES if name.startswith("wechat_msg.stores.django.")]
        code = f"""
            import importlib, django
            from django.conf import settings

            settings.configure(INSTALLED_APPS=["wechat_msg.stores.django"])
            django.setup()
            modules = [importlib.import_module(name) for name in {names}]
            print([each for module in modules for each in getattr(module, "__all__", []) if not hasattr(module, each)])
        """
        assert run(code, "-W", "error", cwd=tmp_path) == "[]"

    def test_have_docstrings(self):
        named = [getattr(wechat_msg, name) for name in wechat_msg.__all__]
        assert [each for each in named if inspect.isroutine(each) or inspect.isclass(each) if not each.__doc__] == []

    def test_are_documented_without_the_environment(self, monkeypatch):
        monkeypatch.setenv("WECHAT_MARKER", "a-value-of-the-environment")
        shown = [pydoc.render_doc(importlib.import_module(name)) for name in MODULES]
        shown += [f"{place}{signature_of(function)}" for place, function in walk_functions()]
        # The marker would come from the environment as it is now, PATH from a copy made at import.
        for value in (os.environ["WECHAT_MARKER"], os.environ["PATH"]):
            assert [text[:80] for text in shown if value in text] == []


class TestImports:
    def test_go_one_way_only(self):
        anything = set(MAY_IMPORT) - APART

        def check(path):
            part = part_of(path)
            allowed = anything if part == "__init__" else MAY_IMPORT[part] | {part, *EVERYWHERE}
            imported = {name.split(".")[1] for name in imports_of(path) if name.startswith("wechat_msg.")}
            assert imported <= allowed

        check_rows(SOURCES, check)

    def test_go_one_way_within_the_package_of_the_endpoints(self):
        prefix, folder = "wechat_msg.endpoint.", PACKAGE / "endpoint"
        imported = {
            path.stem: {name.removeprefix(prefix) for name in imports_of(path) if name.startswith(prefix)}
            for path in sorted(folder.glob("*.py"))
        }
        assert imported.keys() == WITHIN_ENDPOINT.keys()
        assert {name: found for name, found in imported.items() if not found <= WITHIN_ENDPOINT[name]} == {}

    def test_have_a_rule_for_every_part(self):
        assert {part_of(path) for path in SOURCES} == {*MAY_IMPORT, "__init__"}

    def test_of_an_adapter_or_a_store_are_of_its_own_framework(self):
        strangers = {
            str(path.relative_to(PACKAGE)): sorted(found)
            for path in SOURCES
            if (
                found := {
                    top
                    for top in (name.split(".")[0] for name in imports_of(path))
                    if top in ONLY and not places_of(path) & ONLY[top]
                }
            )
        }
        assert strangers == {}

    def test_name_nothing_but_the_standard_library_and_declared_packages(self):
        tops = {name.split(".")[0] for path in SOURCES for name in imports_of(path)}
        assert tops - sys.stdlib_module_names - {"wechat_msg"} <= {*ONLY, "attrs"}

    def test_bring_in_no_framework_and_no_http_library(self, tmp_path):
        """One process imports all of these modules."""
        modules = ["wechat_msg.stores", "wechat_msg.testing", "wechat_msg.adapters", "wechat_msg.adapters.wsgi"]
        loaded = run(f"import sys, {', '.join(modules)}; print(*sys.modules)", cwd=tmp_path).split()
        assert set(modules) <= set(loaded)
        assert {name.split(".")[0] for name in loaded} & FRAMEWORKS == set()

    def test_bring_in_nothing_until_a_name_is_used(self, tmp_path):
        code = """
            import __future__, collections.abc, importlib, sys, typing
            before = set(sys.modules)
            import wechat_msg
            print(*sorted(set(sys.modules) - before))
            wechat_msg.PushError
            print(*sorted(name for name in sys.modules if name.startswith("wechat_msg.")))
        """
        assert run(code, cwd=tmp_path).splitlines() == [
            "wechat_msg wechat_msg._lazy",
            "wechat_msg._lazy wechat_msg.errors",
        ]

    def test_bring_in_neither_the_test_kit_nor_adapters(self, tmp_path):
        """Not even where all names are used."""
        loaded = run("import sys; from wechat_msg import *; print(*sys.modules)", cwd=tmp_path).split()
        assert "wechat_msg.routing" in loaded
        assert [name for name in loaded if name.startswith(("wechat_msg.testing", "wechat_msg.adapters"))] == []
        assert {name.split(".")[0] for name in loaded} & FRAMEWORKS == set()

    def test_give_no_warning_and_start_no_thread(self, tmp_path):
        """Servers load the application and fork, and threads do not survive that."""
        code = "import threading, wechat_msg, wechat_msg.testing; print(threading.active_count())"
        assert run(code, "-W", "error", cwd=tmp_path) == "1"


class TestTyping:
    def test_is_declared(self):
        assert (PACKAGE / "py.typed").is_file()


def make(home: Path) -> None:
    """Build the wheel into *home*, and install it, by its path, into an environment there."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    execute(home, *pip, "wheel", "--no-deps", "--wheel-dir", home, PACKAGE.parent)
    execute(home, sys.executable, "-m", "venv", "--clear", "--without-pip", home / "venv")
    execute(home, *pip, "--python", home / "venv" / "bin" / "python", "install", "--no-compile", *home.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The wheel, and the Python of a fresh environment with the wheel and its core dependencies; workers share them."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    home = shared / "wheel"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "made").exists():
            make(home)
            (home / "made").touch()
    (wheel,) = home.glob("*.whl")
    return wheel, home / "venv" / "bin" / "python"


class TestWheel:
    def test_holds_the_package_and_nothing_else(self, installed):
        wheel, _ = installed
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
        data = [PACKAGE / "py.typed", PACKAGE / "api/errcodes.toml", *(PACKAGE / "playground/static").iterdir()]
        expected = {str(path.relative_to(PACKAGE.parent)) for path in [*SOURCES, *data]}
        assert {name for name in names if ".dist-info/" not in name} == expected
        assert [name for name in names if name.endswith("licenses/LICENSE")]

    def test_holds_the_migrations_and_commands_of_the_django_app(self, installed):
        wheel, _ = installed
        with zipfile.ZipFile(wheel) as archive:
            app = {name.removeprefix("wechat_msg/stores/django/") for name in archive.namelist()}
        assert {"migrations/0001_initial.py", "migrations/__init__.py"} <= app
        assert {"management/commands/clear_expired.py", "management/commands/__init__.py"} <= app

    def test_has_its_version_and_its_dependencies(self, installed):
        wheel, _ = installed
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            metadata = email.message_from_bytes(archive.read(name))
        assert metadata["Name"] == "wechat-msg-sdk"
        assert metadata["Version"] == wechat_msg.__version__
        assert metadata["Requires-Python"] == ">=3.11"
        core = [need for need in metadata.get_all("Requires-Dist") if "extra ==" not in need]
        assert {need.split(">")[0] for need in core} == {"attrs", "pycryptodome", "requests", "xmltodict"}
        assert {"flask", "django", "fastapi", "redis", "async", "markdown", "cli", "playground", "all"} == set(
            metadata.get_all("Provides-Extra")
        )

    def test_is_imported_from_where_it_was_installed_and_knows_its_version(self, installed, tmp_path):
        _, python = installed
        code = """
            import importlib.metadata as m, wechat_msg
            print(wechat_msg.__file__, m.version('wechat-msg-sdk'), wechat_msg.__version__)
        """
        place, *versions = run(code, python=python, cwd=tmp_path).split()
        assert Path(place).is_relative_to(python.parent.parent)
        assert not Path(place).is_relative_to(PACKAGE.parent)
        assert versions == [wechat_msg.__version__] * 2

    def test_leaves_no_public_type_unknown(self, installed, tmp_path):
        _, python = installed
        path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"  # this is how pyright finds an installed package
        command = [sys.executable, "-m", "pyright", "--outputjson", "--verifytypes", "wechat_msg", "--ignoreexternal"]
        environ = {**os.environ, "PATH": path, "VIRTUAL_ENV": str(python.parent.parent)}
        environ["PYTHONPATH"] = sysconfig.get_path("purelib")  # has the packages that extras name
        done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        report = json.loads(done.stdout)["typeCompleteness"]
        assert Path(report["packageRootDirectory"]).is_relative_to(python.parent.parent)
        public = [symbol for symbol in report["symbols"] if symbol["isExported"]]
        assert len(public) > len(wechat_msg.__all__)
        unknown = {symbol["name"] for symbol in public if not symbol["isTypeKnown"]}
        assert {name for name in unknown if not name.startswith(READ_BY_DJANGO)} == set()

    def test_answers_a_push_with_nothing_but_its_core_dependencies(self, installed, tmp_path):
        _, python = installed
        code = """
            from wechat_msg import PushEndpoint, PushSettings, Router, TextMessage
            from wechat_msg.testing import build_push, open_reply

            router = Router()

            @router.on(TextMessage)
            def answer(message):
                return f"You said: {message.content}"

            for mode in ("plain", "compatible", "sealed"):
                key = dict(encoding_aes_key="A" * 43, appid="wx0123456789abcdef") if mode != "plain" else dict()
                settings = PushSettings(token="spamtest", **key)
                for format in ("xml", "json"):
                    request = build_push(settings, {"Content": f"{mode} {format}"}, mode=mode, format=format)
                    print(open_reply(settings, PushEndpoint(settings, router).handle(request))["Content"])
        """
        assert run(code, "-W", "error", python=python, cwd=tmp_path).splitlines() == [
            f"You said: {mode} {kind}" for mode in ("plain", "compatible", "sealed") for kind in ("xml", "json")
        ]

    def test_names_the_package_that_an_adapter_or_a_store_lacks(self, installed, tmp_path):
        _, python = installed
        modules = ["adapters.flask", "adapters.django", "adapters.fastapi", "stores.redis", "stores.django"]
        code = f"""
            import importlib

            for name in {modules}:
                try:
                    importlib.import_module(f"wechat_msg.{{name}}")
                except ModuleNotFoundError as error:
                    print(error.name)
        """
        lacking = run(code, python=python, cwd=tmp_path).split()
        assert lacking == ["flask", "asgiref", "fastapi", "redis", "django"]

    def test_names_the_extra_that_markdown_needs(self, installed, tmp_path):
        _, python = installed
        code = """
            from wechat_msg import SettingsError
            from wechat_msg.text import strip_markdown

            try:
                strip_markdown("*a*")
            except SettingsError as error:
                print(error)
        """
        assert "needs markdown-it-py, the extra markdown（" in run(code, python=python, cwd=tmp_path)

    def test_has_a_store_for_many_processes_that_needs_no_package(self, installed, tmp_path):
        _, python = installed
        code = """
            from wechat_msg import SQLiteStore

            with SQLiteStore("store.db") as store:
                print(store.compare_and_set("key", None, b"value", 60), store.get("key"))
        """
        assert run(code, "-W", "error", python=python, cwd=tmp_path) == "True b'value'"

    def test_has_adapters_that_need_no_framework(self, installed, tmp_path):
        _, python = installed
        code = "from wechat_msg.adapters import asgi, wsgi; print(asgi.push_app.__name__, wsgi.push_app.__name__)"
        assert run(code, python=python, cwd=tmp_path) == "push_app push_app"
