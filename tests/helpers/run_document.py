"""Runs the examples of one document: ``python -m tests.helpers.run_document README.md``, in an empty folder."""

from __future__ import annotations

import asyncio
import contextlib
import doctest
import inspect
import re
import sys
import types
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.helpers.documents import APPID, ROOT, SECRET, Block, read_blocks
from wechat_msg import AsyncClient, Client, PushRequest, PushSettings
from wechat_msg.testing import FakeWeChatAPI, build_echostr_request, build_path_check, build_push, open_reply


def run_document(document: str) -> None:
    """Run a document's examples in order, in one namespace; call it once in a process, as it may set up Django."""
    module = types.ModuleType("document")
    sys.modules["document"] = module
    namespace = vars(module)
    text = (ROOT / document).read_text("utf-8")
    if "django" in text:
        set_up_django("wechat_msg.stores.django" in text)
    with FakeWeChatAPI(APPID, SECRET) as wechat:
        for client in (Client, AsyncClient):  # clients without hosts= call the fake
            inspect.unwrap(client.__init__).__kwdefaults__["hosts"] = [wechat.url]
        run_blocks(document, namespace)
        run_tests_with_fixtures(document)
    assert set(namespace.get("INSTALLED_APPS", APPS)) >= set(APPS)


def run_blocks(document: str, namespace: dict[str, Any]) -> None:
    for block in read_blocks(document, "code", "doctest"):
        before = dict(namespace)
        if block.kind == "doctest":
            run_doctest(block, namespace)
        else:
            exec(compile("\n" * (block.line - 1) + block.source, document, "exec"), namespace)
        new = {name: value for name, value in namespace.items() if before.get(name) is not value}
        for name, value in new.items():
            if name.startswith("test_") and not inspect.signature(value).parameters:
                value()
            elif name in ("app", "application", "urlpatterns"):
                check_web_stack(value, block, namespace["settings"])
        sys.stdout.write(f"{block} {block.kind}\n")


#: Options with which pytest starts faster.
WITHOUT_PLUGINS = [
    word for name in ("cacheprovider", "xdist", "benchmark", "hypothesispytest") for word in ("-p", f"no:{name}")
]


def run_tests_with_fixtures(document: str) -> None:
    """Let pytest run the document's tests, if they ask for fixtures; they import what the document does."""
    source = "\n".join(block.source for block in read_blocks(document, "code"))
    if re.search(r"^def test_\w+\(\w", source, re.MULTILINE):
        Path("test_document.py").write_text(source, "utf-8")
        with contextlib.redirect_stdout(sys.stderr):
            import pytest

            assert pytest.main(["-q", *WITHOUT_PLUGINS, "test_document.py"]) == 0


#: The Django apps that a document tells its readers to install.
APPS = ["wechat_msg.stores.django"]


def set_up_django(with_store: bool) -> None:
    """Make a project with the document's URLs and, if it needs one, a database in the working directory."""
    import django
    from django.conf import settings as django_settings
    from django.core.management import call_command

    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": "django.sqlite3"}
    django_settings.configure(
        ROOT_URLCONF="document", ALLOWED_HOSTS=["*"], INSTALLED_APPS=APPS, DATABASES={"default": database}
    )
    django.setup()
    if with_store:
        call_command("migrate", verbosity=0)


def run_doctest(block: Block, namespace: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(block.source, namespace, block.document, block.document, block.line - 1)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    failed, attempted = runner.run(test, clear_globs=False)
    assert attempted, f"{block} holds no example"
    assert not failed, f"{block}: see above"
    namespace.update(test.globs)


def check_web_stack(app: Any, block: Block, account: PushSettings) -> None:
    """Send a block's application a URL verification, a push, a forged push, and one for an unknown account.

    Cloud Run sends a check of the path instead, and signs nothing that could be forged.
    """
    template = "/" + (re.findall(r"""["']/?(wechat[^"'.]*)["']""", block.source) or ["wechat"])[-1]
    url = re.sub(r"<[^>]*>|{[^}]*}", "shop", template)
    exchange = choose_exchange(app)
    verification = build_path_check() if account.cloud_run else build_echostr_request(account, "42")
    echo = exchange(url, verification)
    assert echo == (200, b"success" if account.cloud_run else b"42"), f"{block}: URL verification gave {echo}"
    status, body = exchange(url, build_push(account, {"MsgType": "text", "Content": "hi"}))
    reply = open_reply(account, body)
    assert status == 200, f"{block}: {status}"
    assert reply, f"{block}: no answer"
    if not account.cloud_run:
        status, _ = exchange(url, build_push(PushSettings(token="forged"), {"MsgType": "text", "Content": "hi"}))
        assert status == 403, f"{block}: a forged push gave {status}"
    if url != template:
        status, _ = exchange(url.replace("shop", "nobody"), build_push(account, {}))
        assert status == 404, f"{block}: an unknown account gave {status}"


def choose_exchange(app: Any) -> Any:
    if isinstance(app, list):
        return exchange_with_django
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__):
        return lambda url, request: asyncio.run(exchange_with_asgi(app, url, request))
    return lambda url, request: exchange_with_wsgi(app, url, request)


def exchange_with_django(url: str, request: PushRequest) -> tuple[int, bytes]:
    from django.test import Client
    from django.urls import clear_url_caches

    clear_url_caches()
    client = Client(enforce_csrf_checks=True)
    where, content_type = f"{url}?{urlencode(request.query)}", request.content_type or "text/plain"
    response = client.generic(request.method, where, request.body, content_type, headers=request.headers)
    return response.status_code, response.content


def exchange_with_wsgi(app: Any, url: str, request: PushRequest) -> tuple[int, bytes]:
    from werkzeug.test import Client

    sent = {"query_string": request.query, "data": request.body, "content_type": request.content_type}
    response = Client(app).open(url, method=request.method, headers=request.headers, **sent)
    return response.status_code, response.data


async def exchange_with_asgi(app: Any, url: str, request: PushRequest) -> tuple[int, bytes]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {"type": "http", "method": request.method, "path": url, "query_string": urlencode(request.query).encode()}
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    await app({**scope, "headers": headers, "http_version": "1.1", "root_path": "", "scheme": "http"}, receive, send)
    return sent[0]["status"], b"".join(event.get("body", b"") for event in sent[1:])


if __name__ == "__main__":
    run_document(*sys.argv[1:])
