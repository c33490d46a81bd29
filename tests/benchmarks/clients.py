"""One call of the API against the fake server; the floor is the same request without a client of ours."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx2
import requests

from wechat_msg import AsyncClient, Client
from wechat_msg.api import customer_service, user
from wechat_msg.api.call import Call
from wechat_msg.testing import FakeWeChatAPI

from .jobs import Job
from .stores import Places

INFO = "/cgi-bin/user/info"
SEND = "/cgi-bin/message/custom/send"
TIMEOUT = (3.05, 10)


def client_jobs(places: Places) -> Iterator[Job]:
    """Make the jobs: one that reads and one that sends, in both colours."""
    wechat = places.stack.enter_context(FakeWeChatAPI())
    wechat.limits_messages = False
    client = places.stack.enter_context(Client(wechat.appid, wechat.secret, hosts=[wechat.url]))
    session = places.stack.enter_context(requests.Session())
    async_client = AsyncClient(wechat.appid, wechat.secret, hosts=[wechat.url])
    async_session = httpx2.AsyncClient(timeout=httpx2.Timeout(10, connect=3.05))
    places.stack.callback(lambda: places.runner.run(async_client.close()))
    places.stack.callback(lambda: places.runner.run(async_session.aclose()))
    access_token = client.get_access_token().access_token
    read, send = user.get_info("oUSER"), customer_service.send("oUSER", "你好" * 100)
    for case, call in (("user.get_info", read), ("customer_service.send", send)):
        make = partial(Job, case=case, expected=("done",), target=1.15, timer=time.perf_counter, runner=places.runner)
        request = describe(call, wechat, access_token)
        yield make(name="Client", ours=partial(ask, client, call), floor=partial(ask_bare, session, request))
        yield make(
            name="AsyncClient",
            ours=partial(ask_async, async_client, call),
            floor=partial(ask_bare_async, async_session, request),
        )


def describe(call: Call[Any], wechat: FakeWeChatAPI, access_token: str) -> dict[str, Any]:
    """Return what a program without us would hand to its HTTP library."""
    body = None if call.json is None else json.dumps(call.json, ensure_ascii=False).encode()
    return {
        "method": call.method,
        "url": wechat.url + call.path,
        "params": {"access_token": access_token, **call.params},
        "content": body,
        "headers": {"Content-Type": "application/json"} if body else {},
    }


def ask(client: Client, call: Call[Any]) -> tuple[str]:
    client.call(call)
    return ("done",)


async def ask_async(client: AsyncClient, call: Call[Any]) -> tuple[str]:
    await client.call(call)
    return ("done",)


def ask_bare(session: requests.Session, request: dict[str, Any]) -> tuple[str]:
    given = {name: value for name, value in request.items() if name != "content"}
    return (judge(session.request(**given, data=request["content"], timeout=TIMEOUT).json()),)


async def ask_bare_async(session: httpx2.AsyncClient, request: dict[str, Any]) -> tuple[str]:
    return (judge((await session.request(**request)).json()),)


def judge(answer: dict[str, Any]) -> str:
    return "refused" if answer.get("errcode") else "done"
