"""A bot on a language model, of any server with OpenAI's API: ``uvicorn examples.llm_bot:app``. See docs/llm-bot.md."""

import logging
import os
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Any

from attrs import Factory, define
from openai import APIError, AsyncOpenAI

from wechat_msg import (
    MINI_PROGRAM,
    Answer,
    AnswerLater,
    AsyncCallNext,
    AsyncClient,
    AsyncPushEndpoint,
    Conversations,
    KeepReply,
    Message,
    PushSettings,
    Router,
    SQLiteStore,
    SubscribeEvent,
    TextMessage,
    UserMessage,
    VoiceMessage,
)
from wechat_msg.adapters.asgi import push_app
from wechat_msg.api import customer_service, miniprogram
from wechat_msg.filters import command
from wechat_msg.library import AsyncMediaLibrary, show_typing
from wechat_msg.text import strip_markdown

MODEL, VOICE_MODEL = os.environ.get("LLM_MODEL", "gpt-4o-mini"), os.environ.get("LLM_VOICE_MODEL")
PROMPT = os.environ.get("LLM_PROMPT", "You answer the users of a WeChat account, briefly and in their language.")
HISTORY = max(1, int(os.environ.get("LLM_HISTORY", "10")))  # questions that the model gets, and their answers
IS_CHECKED = os.environ.get("LLM_CHECK") == "1"

#: A fenced block of code, which may have no end yet; or, as group 2, the blank line after a paragraph.
BLOCK = re.compile(r"^[ \t>]*(`{3,}|~{3,})[^`\n]*\n(?s:.*?)(?:^[ \t>]*\1[`~]*[ \t]*$|\Z)|(\n[ \t]*\n)", re.MULTILINE)

settings = PushSettings.from_env()
store = SQLiteStore(os.environ.get("WECHAT_STORE") or __file__.replace(".py", ".db"))
client, llm = AsyncClient.from_env(store=store), AsyncOpenAI()
library, router = AsyncMediaLibrary(client, store), Router()


@define
class Chat:
    turns: list[dict[str, str]] = Factory(list)  # the last one is the question
    msg_id: str | None = None
    parts: list[str] = Factory(list)  # of the answer, as far as it is written
    is_complete: bool = False

    def ask(self, message: TextMessage) -> None:
        """Add a question, unless it is there: then a process has died while it answered, and this one continues."""
        if self.msg_id != message.msg_id:
            answer = {"role": "assistant", "content": "".join(self.parts) + ("" if self.is_complete else "…")}
            turns = [*self.turns, *[answer] * bool(self.turns), {"role": "user", "content": message.content}]
            self.turns, self.msg_id, self.parts, self.is_complete = turns[1 - 2 * HISTORY :], message.msg_id, [], False


history = Conversations(store, Chat, ttl=86400)


class Excuse(Exception): ...  # what the user reads instead of an answer, or of the rest of one


async def check(text: str, message: Message) -> None:
    """Raise Excuse if WeChat does not pass a text; it takes 2,500 characters at a time."""
    for start in range(0, len(text) if IS_CHECKED else 0, 2500):
        call = miniprogram.msg_sec_check(text[start : start + 2500], 4, message.from_user_name)
        if (await client.call(call)).result.suggest != "pass":
            raise Excuse("这个话题我不能谈")


@router.error(Exception)
def apologise(message: Message, error: Exception) -> str:
    why, excuse = (error, error) if isinstance(error, Excuse) else (type(error).__name__, "出了点问题，请稍后再试")
    logging.getLogger("bot").error("no complete answer to message %s: %s", getattr(message, "msg_id", ""), why)
    return f"抱歉，{excuse}。"


@router.use
async def hear(message: Message, call_next: AsyncCallNext) -> Answer:
    if isinstance(message, VoiceMessage) and VOICE_MODEL:
        file = await library.fetch(message)
        heard = await llm.audio.transcriptions.create(model=VOICE_MODEL, file=(file.filename, file.content))
        message = message.as_text(heard.text)
    return await call_next(message)


@router.on(TextMessage, command("/new", "新话题"))
def forget(message: TextMessage) -> str:
    history.reset(message)
    return "好的，我们聊点别的。"


async def read_parts(chat: Chat) -> AsyncIterator[tuple[str, bool]]:
    """Yield the parts of the model's answer, each some paragraphs, and whether the answer is complete with it."""
    turns: list[Any] = [{"role": "system", "content": PROMPT}, *chat.turns]
    if chat.parts:
        turns += {"role": "assistant", "content": "".join(chat.parts)}, {"role": "user", "content": "Continue."}
    rest, least, reason = "", 50 << len(chat.parts), None  # each part is longer, as WeChat accepts only five messages
    stream = await llm.chat.completions.create(model=MODEL, messages=turns, stream=True)
    with suppress(APIError):  # then there is no finish_reason: the answer broke off
        async for choice in (choice async for chunk in stream for choice in chunk.choices):
            rest, reason = rest + (choice.delta.content or ""), choice.finish_reason or reason
            while end := next((found.end() for found in BLOCK.finditer(rest) if found[2] and found.end() >= least), 0):
                yield rest[:end], False
                rest, least = rest[end:], 2 * least
    yield rest.rstrip(), reason is not None


@router.on(TextMessage)
async def talk(message: TextMessage) -> AsyncIterator[str]:
    await check(message.content, message)
    async with history.open(message) as chat:
        chat.ask(message)
    for part in chat.parts:  # the endpoint skips those that the user has
        yield strip_markdown(part)
    if not chat.is_complete:
        async for part, is_complete in read_parts(chat):
            await check(part, message)
            async with history.open(message) as chat:
                chat.parts.append(part)
                chat.is_complete = is_complete and any(map(strip_markdown, chat.parts))
            yield strip_markdown(part)
    if not chat.is_complete:
        raise Excuse("回答中断了，请再问一次" if any(chat.parts) else "没有得到回答，请换个说法再问")


@router.on(SubscribeEvent, UserMessage)
def explain(_: SubscribeEvent | UserMessage) -> str:
    return "请发送文字提问，发送 /new 开始新的话题。回答由人工智能生成，请注意甄别。"


async def send(body: dict[str, Any]) -> None:
    await client.call(customer_service.send_body({**body, "aimsgcontext": {"is_ai_msg": 1}}))


keep = KeepReply("正在思考，回复任意文字查看答案。", fetch=lambda message: not message.content.startswith("/"))
typing = partial(show_typing, client, account_kind=settings.account_kind)
later = AnswerLater(send, unsent=None if settings.account_kind == MINI_PROGRAM else keep, meanwhile=typing)
late = keep if os.environ.get("LLM_LATE") == "keep" else later
endpoint = AsyncPushEndpoint(settings, router, store=store, late=late, ordered=True)
app = push_app(endpoint)
