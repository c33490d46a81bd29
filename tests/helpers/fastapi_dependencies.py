"""Dependencies of the FastAPI application in `tests.helpers.apps`; FastAPI looks annotations up in their module."""

from typing import Annotated

from fastapi import Header, HTTPException, Request


async def read_after(request: Request):
    yield
    print(f"{len(await request.body())} bytes were read")


async def consume(request: Request):
    _ = [chunk async for chunk in request.stream()]


async def guard(request: Request, x_guard: Annotated[str, Header()] = ""):
    await request.body()
    if x_guard != "open":
        raise HTTPException(401)
