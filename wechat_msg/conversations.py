"""Conversations: what a bot remembers of each user, and dialogues of several messages."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import inspect
import json
import logging
import math
import secrets
import time
import weakref
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Generic, TypeVar, overload

import attrs
from attrs import field
from attrs.validators import deep_iterable, instance_of

from wechat_msg._clock import Clock
from wechat_msg._flow import AnyStore, CompareAndSet, EitherStore, Flow, Get, Sleep, drive, drive_async
from wechat_msg._handlers import (
    FlowHandler,
    RunHandler,
    Visit,
    check_parameters,
    is_async,
    perform,
    perform_async,
    settle,
)
from wechat_msg._state import Unfit, check_keys, make_kind
from wechat_msg._tracebacks import define, frozen
from wechat_msg._validators import Validators, is_seconds
from wechat_msg.answering import Answer, Change, OneAnswer
from wechat_msg.endpoint.dedup import make_key
from wechat_msg.endpoint.handling import CURRENT_SETTINGS
from wechat_msg.endpoint.parts import dump_part, load_kept
from wechat_msg.errors import ConversationBusy, ConversationChanged, ConversationError, SettingsError, StoreError
from wechat_msg.messages import Message
from wechat_msg.replies import Acknowledgement, RenderedReply, Reply
from wechat_msg.stores import AsyncStore, Store

__all__ = ["Ask", "Conversations", "DialogueStep", "End", "OpenConversation", "Question"]

_log = logging.getLogger("wechat_msg")

T = TypeVar("T")
S = TypeVar("S")
M = TypeVar("M", bound=Message)
N = TypeVar("N", bound=Message)
R = TypeVar("R")

Question = OneAnswer | Sequence[OneAnswer]
"""An answer of a handler that can be kept: any but a generator."""

_ID_LENGTH = 20
_MOST_IDS = 10  # messages of a user that are recognised if they come again late, when others have been answered
_DAY = 86400.0  # seconds for which ``expired`` waits for its user
_PAUSE = 0.02  # seconds between two attempts to claim a conversation

_check = Validators(SettingsError)
_seconds = _check(is_seconds, "a number of seconds greater than 0")
_seconds_or_zero = _check(lambda value: is_seconds(value, or_zero=True), "a number of seconds, at least 0")
_question = _check.instance_of(str, Reply, list, tuple, what="text, a Reply, or several of them")


# --- what steps and handlers return ----------------------------------------------------------------------------------


@frozen(eq=False, repr=False)
class DialogueStep(Generic[M, S, R]):
    """A step of a dialogue: a function of the user's message and the state, which can be called as it was written.

    Attributes:
        function: The function.
        conversations: The conversations to which it belongs.
        kinds: The classes of the messages that it gets.
        name: The name of the function, which the store has while a user's next message is for it.
    """

    function: Callable[[Any, S], R]
    conversations: Conversations[S]
    kinds: tuple[type[Message], ...]
    name: str

    def __call__(self, message: M, state: S) -> R:
        """Call the function."""
        return self.function(message, state)

    def __repr__(self) -> str:
        """Return the names of the conversations and of the step."""
        return f"<Step {self.name} of {self.conversations.label}>"


@frozen(init=False)
class Ask(Change):
    """An answer that is a question: the user's next message goes to a step of a dialogue.

    A step returns it to go on, any other handler to begin a dialogue; that ends the one that was open.

    Attributes:
        question: What the user reads; ``""`` says nothing.
        then: The step.
        state: The state from now on. If None, that of the step that asks, or a new one at the beginning.

    Raises:
        SettingsError: *then* is not a step.
    """

    question: Question = field(repr=False, validator=_question)
    then: DialogueStep[Any, Any, Any] = field(
        validator=_check.instance_of(DialogueStep, what="a function decorated with step")
    )
    state: Any = field(default=None, repr=False)

    def __init__(self, question: Question, then: DialogueStep[Any, S, Any], state: S | None = None) -> None:
        self.__attrs_init__(question, then, state)  # pyright: ignore[reportAttributeAccessIssue]

    def settle(self, message: Message) -> Flow[Answer]:
        """Begin the dialogue, and return the question."""
        return self.then.conversations._begin(message, self)  # noqa: SLF001


@frozen
class End(Change):
    """An answer that ends a conversation; `Conversations.end` makes it.

    Attributes:
        conversations: The conversations.
        answer: What the user gets.
        otherwise: What the user gets if there is nothing to end; None leaves the message to the next handler.
    """

    conversations: Conversations[Any]
    answer: Answer = field(repr=False)
    otherwise: Answer = field(default=None, repr=False)

    def settle(self, message: Message) -> Flow[Answer]:
        """End the user's conversation, and return the answer."""
        return self.conversations._end(message, self)  # noqa: SLF001


# --- what is kept ----------------------------------------------------------------------------------------------------


@frozen
class _Record:
    """What is kept of a user's conversation.

    Attributes:
        state: The state; None if there is none, because the conversation has ended.
        step: The name of the step for the next message; empty if no dialogue is open.
        until: When the conversation is over, in seconds since the epoch.
        handled: Identifies the last messages that were answered by a step, or began or ended a dialogue, oldest first.
        answer: The answer to the last one; None if it can be given only once.
    """

    state: Any = None
    step: str = field(default="", validator=instance_of(str))
    until: float = field(default=0.0, validator=instance_of((int, float)))
    handled: Sequence[str] = field(default=(), validator=deep_iterable(instance_of(str), instance_of((list, tuple))))
    answer: Any = None

    def dump(self) -> bytes:
        """Return the bytes for the store.

        Raises:
            ConversationError: The state contains something that JSON has not, or is too deep.
        """
        try:
            text = json.dumps(attrs.asdict(self, recurse=False), ensure_ascii=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError) as error:
            raise ConversationError(f"a state cannot be kept: {error}（状态无法保存）") from None
        return text.encode("utf-8", "surrogatepass")


_NOTHING = _Record()
_UNREADABLE = _Record(state="?", step="?", until=math.inf)  # it is open, so that the next message ends it
_MEMBERS = tuple(attrs.fields_dict(_Record))


def _load_record(raw: bytes | None) -> _Record:
    if raw is None:
        return _NOTHING
    try:
        found = json.loads(raw.decode("utf-8", "surrogatepass"))
        record = _Record(**{name: found[name] for name in _MEMBERS if name in found})  # a newer version may have others
        _load_answer(record.answer)
    except Exception:  # noqa: BLE001, anything may be in a store
        return _UNREADABLE
    return _UNREADABLE if record.step and record.state is None else record


def _check_result(dump: Callable[[S], Any]) -> Callable[[S], Any]:
    """Return a function that does the same, but raises `Unfit` if the result cannot be kept."""

    def write(state: S) -> Any:
        document = dump(state)
        if document is None:
            raise Unfit("dump= returns None")
        return check_keys(document)

    return write


def _dump_answer(message: Message, answer: Any) -> Any:
    """Return an answer for the store; None if it has a generator or a `RenderedReply`: these are given only once."""
    answers = answer if isinstance(answer, (list, tuple)) else [answer]
    if not all(isinstance(each, (str, Reply, type(None))) and not isinstance(each, RenderedReply) for each in answers):
        return None
    return [_dump_one(message, each) for each in answers]


def _is_in_event_loop() -> bool:
    """Return whether an event loop runs in this thread, which must not wait."""
    with contextlib.suppress(RuntimeError):
        return bool(asyncio.get_running_loop())
    return False


def _dump_one(message: Message, answer: OneAnswer) -> Any:
    if isinstance(answer, Acknowledgement):
        return {"acknowledgement": answer.body}
    return {"part": dump_part(answer, message.from_user_name)} if isinstance(answer, Reply) else answer


def _load_answer(answer: Any) -> Answer:
    if answer is None:
        return None
    answers = [_load_one(each) if isinstance(each, dict) else each for each in answer]
    return answers[0] if len(answers) == 1 else answers


def _load_one(answer: dict[str, str]) -> OneAnswer:
    return Acknowledgement(answer["acknowledgement"]) if "acknowledgement" in answer else load_kept(answer["part"])


def _identify(message: Message) -> str:
    """Return what all deliveries of a message have in common; empty if nothing does, as in a test."""
    if not message.raw and not getattr(message, "msg_id", None):
        return ""
    return make_key(message).rpartition(":")[2][:_ID_LENGTH]


# --- conversations ---------------------------------------------------------------------------------------------------


@define(eq=False, repr=False, slots=False)
class Conversations(FlowHandler, Generic[S]):
    """What a bot remembers of each user between messages: a state of a class of yours, and a step of a dialogue.

    A message claims its user's conversation before it reads the state. Other messages of this user wait, so that no
    change is lost, and no message is taken for the answer to two questions; those of other users do not.

    Args:
        store: Where states are kept, for example the store of the endpoint.
        state: An attrs class or a dataclass that can be made without arguments. Its fields may be str, int, float,
            bool, None, Any, Literal, enums, lists, tuples, dicts whose keys are str, unions of these, and such classes.
            Fields that are missing in the store get their defaults; a state that cannot be read begins anew.
        name: Distinguishes several conversations with one user; if None, the name of the class. Those of one class,
            name and store share their states.
        ttl: Seconds after the last message when a conversation is over.
        expired: The answer to the next message for a dialogue that is over, within a day; if None, the message is left
            to other handlers.
        claim: Seconds for which a message may have the conversation; after that, others need not wait for it.
        wait: Seconds for which a message waits for another one, before it raises `ConversationBusy`. WeChat sends it
            again then; what was acknowledged, an endpoint handles again itself, up to its ``handler_limit``.
        dump: Returns a state as text or another value of JSON, but not None, for classes with fields of other types.
        load: Makes the state of such a value.
        clock: Seconds since the epoch; a parameter for tests.

    Raises:
        SettingsError: An option is invalid, a field of *state* has a type that cannot be kept, or another class has
            this name in the same store.

    Example:
        >>> from attrs import define
        >>> from wechat_msg import Ask, Conversations, MemoryStore, Router, TextMessage
        >>> @define
        ... class Guest:
        ...     name: str = ""
        >>> guests = Conversations(MemoryStore(), Guest)
        >>> router = Router()
        >>> router.include(guests)
        <Conversations Guest>
        >>> @router.on(TextMessage)
        ... def begin(message: TextMessage) -> Ask:
        ...     return Ask("What is your name?", then=take_name)
        >>> @guests.step(TextMessage)
        ... def take_name(message: TextMessage, state: Guest) -> str:
        ...     return f"Hello, {message.content}!"
        >>> def say(text):
        ...     return TextMessage(from_user_name="o", to_user_name="gh", create_time=0, content=text)
        >>> router(say("hi")), router(say("Ann")), router(say("hi"))
        ('What is your name?', 'Hello, Ann!', 'What is your name?')
    """

    store: AnyStore = field(validator=_check.instance_of(Store, AsyncStore))
    state: type[S]
    name: str | None = field(default=None, kw_only=True, validator=attrs.validators.optional(_check.instance_of(str)))
    ttl: float = field(default=1800.0, kw_only=True, validator=_seconds)
    expired: Question = field(default=None, kw_only=True, validator=attrs.validators.optional(_question))
    claim: float = field(default=30.0, kw_only=True, validator=_seconds)
    wait: float = field(default=5.0, kw_only=True, validator=_seconds_or_zero)
    dump: Callable[[S], Any] | None = field(default=None, kw_only=True)
    load: Callable[[Any], S] | None = field(default=None, kw_only=True)
    clock: Callable[[], float] = field(default=time.time, kw_only=True)
    _shared: EitherStore = field(init=False)
    _write_state: Callable[[S], Any] = field(init=False)
    _read_state: Callable[[Any], S] = field(init=False)
    _steps: dict[str, DialogueStep[Any, S, Any]] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        if (self.dump is None) != (self.load is None):
            raise SettingsError("dump= and load= need each other（dump= 与 load= 须同时提供）")
        if self.dump is None or self.load is None:
            kind = make_kind(self.state)
            self._write_state, self._read_state = kind.write, kind.read
        else:
            self._write_state, self._read_state = _check_result(self.dump), self.load
        try:
            self.state()
        except TypeError as error:
            raise SettingsError("state must be made without arguments（state 的字段都须有默认值）") from error
        self._shared = EitherStore(self.store)
        self._check_name()
        _made.add(self)

    def _check_name(self) -> None:
        """Check that no other class has this name in the store; those of one class share their states on purpose."""
        for other in tuple(_made):
            if other.store is self.store and other.label == self.label and _locate(other.state) != _locate(self.state):
                raise SettingsError(
                    f"{_locate(other.state)} and {_locate(self.state)} are both kept as {self.label} in one store;"
                    " give one Conversations another name=（同一 store 中两个会话重名，请用 name= 区分）"
                )

    def __repr__(self) -> str:
        """Return the name."""
        return f"<Conversations {self.label}>"

    @property
    def label(self) -> str:
        """The name, or that of the class."""
        return self.name or self.state.__name__

    # --- for handlers

    def open(self, message: Message) -> OpenConversation[S]:
        """Return a context manager that gives the state of the message's user, and saves it at the end.

        ``with`` or ``async with``. If the block raises an error, nothing is saved. Others wait meanwhile, so leave it
        before a slow call: open, copy what you need, close, call, open again. In a step, use its parameter instead.

        Raises:
            SettingsError: *message* is not a message.
            ConversationBusy: Another message of the user took too long.
            ConversationChanged: The block took longer than ``claim``, and another message has changed the state.
            ConversationError: The state has a value that cannot be kept.
            SettingsError: ``with`` cannot use an `AsyncStore`, nor stand in ``async def``.
            StoreError: The store failed.
        """
        return OpenConversation(self, message)

    def reset(self, message: Message) -> Any:
        """Forget state and dialogue of the message's user; a message from before is not new if it comes again.

        Where an event loop runs in this thread, as in ``async def``, this does nothing but return an awaitable, and so
        it does with an `AsyncStore`. Elsewhere it returns None when it is done. In a step, return `end` instead.

        Raises:
            SettingsError: *message* is not a message.
            ConversationBusy: Another message of the user took too long.
            StoreError: The store failed.
        """
        turn = _Turn(self, message)
        flow = turn.take(turn.forget)
        is_awaited = is_async(self.store.get) or _is_in_event_loop()
        return drive_async(flow, perform_async) if is_awaited else drive(flow, self._perform)

    def end(self, answer: Answer, otherwise: Answer = None) -> End:
        """Return the answer that ends the conversation with the user.

        Args:
            answer: What the user gets.
            otherwise: What the user gets if there is nothing to end; None leaves the message to the next handler.
        """
        return End(self, answer, otherwise)

    @overload
    def step(self, kind: type[M], /) -> Callable[[Callable[[M, S], R]], DialogueStep[M, S, R]]: ...
    @overload
    def step(
        self, kind: type[M], other: type[N], /
    ) -> Callable[[Callable[[M | N, S], R]], DialogueStep[M | N, S, R]]: ...
    def step(self, *kinds: type[Message]) -> Any:
        """Make the decorated function a step of dialogues, for messages of the given classes.

        It gets the message and the state, which it may change, and returns

        - an `Ask`: the dialogue goes on, with that step;
        - None: nothing has happened, and the message is left to other handlers;
        - any other answer: the dialogue has ended.

        If it raises an error, nothing is saved. Its name is in the store while a dialogue waits there, so renaming it
        ends open dialogues.

        Raises:
            SettingsError: There is no class of messages, two steps have one name, one cannot be called with message and
                state, or one is a generator function, which would run only after the dialogue has ended.
        """
        if not kinds or not all(isinstance(kind, type) and issubclass(kind, Message) for kind in kinds):
            raise SettingsError("Conversations.step needs classes of messages and events（step 需要消息或事件的类）")

        def add(function: Callable[[Any, S], R]) -> DialogueStep[Any, S, R]:
            name = getattr(function, "__name__", "")
            if not name or name in self._steps:
                raise SettingsError(f"Conversations.step needs functions with different names, not {name!r} again")
            if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
                raise SettingsError(
                    f"the step {name} must not be a generator function, though it may return a generator"
                    "（对话步骤不能是生成器函数，但可以返回生成器）"
                )
            check_parameters("Conversations.step", function, 2, "the message and the state", "消息与状态")
            self._steps[name] = DialogueStep(function, self, kinds, name)
            return self._steps[name]

        return add

    # --- for routers

    @property
    def is_async(self) -> bool:
        """Whether the store or a step is async."""
        return is_async(self.store.get) or any(is_async(step.function) for step in self._steps.values())

    def check(self) -> None:
        """Do nothing: what could be wrong was checked before."""

    def flow(self, message: Message, visit: Visit) -> Flow[Answer]:
        """Yield the steps that let the dialogue that is open answer *message*; None if there is none."""
        if not self._steps:
            return None
        turn = _Turn(self, message)
        yield from turn.read()
        if not self._is_for(turn):
            return None
        answer = yield from turn.answer(lambda: self._answer(turn, visit))
        visit.missed = visit.missed and not turn.is_repeated
        return (yield from settle(message, answer))

    def _is_for(self, turn: _Turn[S]) -> bool:
        """Return whether a message was answered before, or is for the dialogue that is open or over."""
        if turn.is_repeated or not turn.record.step:
            return turn.is_repeated
        step = self._steps.get(turn.record.step)
        return (turn.is_open or self.expired is not None) and (step is None or isinstance(turn.message, step.kinds))

    def _answer(self, turn: _Turn[S], visit: Visit) -> Flow[Answer]:
        """Return the answer of a step, or what else there is to say."""
        if not self._is_for(turn):  # another message was faster
            return None
        visit.missed = False
        if not turn.is_open:
            return (yield from turn.end(self.expired))
        state = turn.load_state()
        step = None if state is None else self._find_step(turn.record.step)
        if state is None or step is None:  # which is logged
            visit.missed = True
            return (yield from turn.end(None))
        answer: Answer = yield RunHandler(step.function, turn.message, state)
        return None if answer is None else (yield from self._conclude(turn, answer, state))

    def _conclude(self, turn: _Turn[S], answer: Answer, state: S) -> Flow[Answer]:
        """Go on or end, as *answer* says; changes of other conversations come first, so that a death loses none."""
        while isinstance(answer, Change):
            if isinstance(answer, Ask) and answer.then.conversations is self:
                return (yield from turn.ask(answer, state))
            if isinstance(answer, End) and answer.conversations is self:
                answer, state = answer.answer, self.state()
            else:
                turn.is_halfway = True
                answer = yield from answer.settle(turn.message)
        return (yield from turn.end(answer))

    def _find_step(self, name: str) -> DialogueStep[Any, S, Any] | None:
        """Return the step for the next message; None, which is logged, if the code has it no longer."""
        if name not in self._steps:
            _log.warning(
                "a dialogue of %s ends, as there is no step %s; if other Conversations have it, give them a name="
                "（步骤已不存在，对话结束；若属于另一个会话，请用 name= 区分）",
                self.label,
                name,
            )
        return self._steps.get(name)

    # --- for answers and the context manager

    def _begin(self, message: Message, ask: Ask) -> Flow[Answer]:
        """Begin a dialogue, whatever was open, and return the question."""
        if not self.is_included:
            raise SettingsError(f"{self.label} is in no Router: include it（请用 router.include 加入会话）")
        turn = _Turn(self, message)
        return (yield from turn.answer(lambda: turn.ask(ask, self.state())))

    def _end(self, message: Message, end: End) -> Flow[Answer]:
        """End what is open, and return the answer."""
        turn = _Turn(self, message)
        yield from turn.read()
        if not (turn.is_open or turn.is_repeated):
            return end.otherwise

        def end_once() -> Flow[Answer]:
            if turn.record.state is None:  # another message was faster
                return end.otherwise
            return (yield from self._conclude(turn, end, self.state()))

        return (yield from turn.answer(end_once))

    def _perform(self, step: Any) -> Any:
        if isinstance(step, Sleep) and isinstance(self.clock, Clock):
            return self.clock.sleep(step.seconds)
        return perform(step)


#: All that exist, so that no two share their states by mistake.
_made: weakref.WeakSet[Conversations[Any]] = weakref.WeakSet()


def _locate(state: object) -> str:
    """Return where a class is defined, which is the same after its module was loaded again."""
    return f"{getattr(state, '__module__', '')}.{getattr(state, '__qualname__', '')}"


class OpenConversation(Generic[S]):
    """The state of one user, while a handler has it; see `Conversations.open`."""

    def __init__(self, conversations: Conversations[S], message: Message) -> None:
        self._conversations = conversations
        self._turn = _Turn(conversations, message)

    def __enter__(self) -> S:
        """Claim the conversation, and return the state."""
        if is_async(self._conversations.store.get):
            raise SettingsError("an AsyncStore needs async with（AsyncStore 请使用 async with）")
        if _is_in_event_loop():  # which would stand still, also for the message that has the conversation
            raise SettingsError("in async def, open needs async with（在 async def 中请使用 async with）")
        return drive(self._turn.open(), self._conversations._perform)  # noqa: SLF001

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Save the state unless the block has raised an error."""
        drive(self._turn.close(is_saved=error is None), self._conversations._perform)  # noqa: SLF001

    async def __aenter__(self) -> S:
        """Claim the conversation, and return the state."""
        return await drive_async(self._turn.open(), perform_async)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Save the state unless the block has raised an error."""
        await drive_async(self._turn.close(is_saved=error is None), perform_async)


@define(eq=False, repr=False)
class _Turn(Generic[S]):
    """A message's turn in the conversation of its user: the flows that claim, read, save and release it.

    Attributes:
        conversations: The conversations.
        message: The message.
        store: The store.
        id: Identifies the message in all its deliveries.
        raw: The bytes of the record, as they were read.
        record: The record.
        state: The state, while a handler has it open.
        is_halfway: Whether the answer has begun or ended another conversation, and this one has to follow: if it fails,
            messages wait until the same one is handled again, or the claim ends.
    """

    conversations: Conversations[S]
    message: Message = field(validator=_check.instance_of(Message, what="a message"))
    store: EitherStore = field(init=False)
    id: str = field(init=False)
    raw: bytes | None = field(init=False, default=None)
    record: _Record = field(init=False, default=_NOTHING)
    state: S = field(init=False)
    is_halfway: bool = field(init=False, default=False)
    _keys: tuple[str, str] = field(init=False)
    _claim: bytes = field(init=False)

    def __attrs_post_init__(self) -> None:
        settings, message = CURRENT_SETTINGS.get(), self.message
        self.store = self.conversations._shared  # noqa: SLF001
        self.id = _identify(message)
        names = message.to_user_name, message.from_user_name, self.conversations.label
        digest = hashlib.sha256(ascii(names).encode()).hexdigest()
        identity = "" if settings is None else settings.identity
        self._keys = f"{identity}:conversation:{digest}", f"{identity}:claim:{digest}"
        self._claim = f"{self.id}:{secrets.token_hex(8)}".encode()

    @property
    def is_open(self) -> bool:
        """Whether there is a state that is not over."""
        return self.record.state is not None and self.conversations.clock() < self.record.until

    @property
    def is_repeated(self) -> bool:
        """Whether the message was answered before, by a process that has died since, or is too slow."""
        return self.id in self.record.handled

    # --- one step each

    def read(self) -> Flow[_Record]:
        """Read the record."""
        self.raw = yield Get(self.store, self._keys[0])
        self.record = _load_record(self.raw)
        return self.record

    def save(self, record: _Record | None) -> Flow[None]:
        """Replace the record that was read; None deletes it.

        Raises:
            ConversationChanged: There is another one now.
        """
        conversations = self.conversations
        value = None if record is None else record.dump()
        keep = conversations.ttl + (conversations.claim if conversations.expired is None else _DAY)
        if not (yield CompareAndSet(self.store, self._keys[0], self.raw, value, keep)):
            raise ConversationChanged(
                f"{conversations.label}: another message has changed the state, or it was opened or reset again inside"
            )

    def claim(self) -> Flow[None]:
        """Wait until no other message has the conversation, and read the record.

        Raises:
            ConversationBusy: Another message took too long.
        """
        conversations = self.conversations
        end, pauses = conversations.clock() + conversations.wait, math.ceil(conversations.wait / _PAUSE)
        while not (yield self._set_claim(None)):
            if not pauses or conversations.clock() >= end:
                yield from self._take_over()
                break
            pauses -= 1
            yield Sleep(_PAUSE)
        yield from self.read()

    def _set_claim(self, expected: bytes | None) -> CompareAndSet:
        return CompareAndSet(self.store, self._keys[1], expected, self._claim, self.conversations.claim)

    def _take_over(self) -> Flow[None]:
        """Take the claim of an earlier delivery of the same message, whose process has died."""
        found = yield Get(self.store, self._keys[1])
        is_own = found is None or (self.id and found.startswith(f"{self.id}:".encode()))
        if not is_own or not (yield self._set_claim(found)):
            raise ConversationBusy(f"{self.conversations.label}: another message of the user is being handled")

    def release(self) -> Flow[None]:
        """Let other messages have the conversation."""
        with contextlib.suppress(StoreError):  # the claim ends by itself
            yield CompareAndSet(self.store, self._keys[1], self._claim, None)

    # --- several

    def guard(self, flow: Flow[T]) -> Flow[T]:
        """Perform a flow, and release the conversation if it fails; but not halfway."""
        try:
            return (yield from flow)
        except GeneratorExit:
            raise  # the flow was closed, and no further step is performed
        except BaseException as error:
            if not self.is_halfway or isinstance(error, (ConversationError, SettingsError)):  # they change nothing
                yield from self.release()
            raise

    def take(self, work: Callable[[], Flow[T]]) -> Flow[T]:
        """Do something while this message, and no other, has the conversation."""
        yield from self.guard(self.claim())
        result = yield from self.guard(work())
        yield from self.release()
        return result

    def answer(self, work: Callable[[], Flow[Answer]]) -> Flow[Answer]:
        """The same for what answers the message; if it was answered before, it gets the last answer again."""

        def answer_once() -> Flow[Answer]:
            if not self.is_repeated:
                return (yield from work())
            answer = _load_answer(self.record.answer)
            return "" if answer is None else answer  # what cannot be given again is no message for other handlers

        return self.take(answer_once)

    def ask(self, ask: Ask, state: S) -> Flow[Answer]:
        """Save the question, and return it."""
        document = self._write(state if ask.state is None else ask.state)
        yield from self.save(self._note(ask.question, state=document, step=ask.then.name, until=self._until()))
        return ask.question

    def end(self, answer: Answer) -> Flow[Answer]:
        """Forget the state, and return the answer."""
        yield from self.save(self._note(answer))
        return answer

    def forget(self) -> Flow[None]:
        """Forget the state and the answer, unless this message has done so before, and others were answered since."""
        mark, handled = f"reset {self.id}", [*self.record.handled]
        since = handled[handled.index(mark) + 1 :] if self.id and mark in handled else []
        if {*since} <= {self.id}:
            others = [each for each in handled if each not in (mark, self.id)]
            yield from self.save(_Record(handled=[*others, mark][-_MOST_IDS:]))

    def _note(self, answer: Answer, **values: Any) -> _Record:
        """Return the record after an answer, in case that this process dies before the user gets it."""
        if answer is None:  # other handlers answer
            return _Record(handled=self.record.handled, answer=self.record.answer)
        handled = [*self.record.handled, *filter(None, [self.id])][-_MOST_IDS:]
        return _Record(handled=handled, answer=_dump_answer(self.message, answer), **values)

    def load_state(self) -> S | None:
        """Return the state; None, which is logged, if it cannot be read."""
        with contextlib.suppress(Exception):  # ``load`` may raise anything
            if self.record is not _UNREADABLE:
                return self.conversations._read_state(self.record.state)  # noqa: SLF001
        _log.warning("a state of %s cannot be read, and is reset（状态无法读取，已重置）", self.conversations.label)
        return None

    def open(self) -> Flow[S]:
        """Claim the conversation, and return the state."""
        yield from self.guard(self._open())
        return self.state

    def _open(self) -> Flow[None]:
        yield from self.claim()
        found = self.load_state() if self.is_open else None
        if found is None:
            self.record = self._note(None)
        self.state = self.conversations.state() if found is None else found

    def close(self, *, is_saved: bool) -> Flow[None]:
        """Save the state, and release the conversation."""
        if is_saved:
            yield from self.guard(self._save_state())
        yield from self.release()

    def _save_state(self) -> Flow[None]:
        document = self._write(self.state)
        yield from self.save(attrs.evolve(self.record, state=document, until=self._until()))

    def _write(self, state: S) -> Any:
        try:
            return self.conversations._write_state(state)  # noqa: SLF001
        except (Unfit, RecursionError) as error:
            raise ConversationError(f"a state cannot be kept: {error}（状态无法保存）") from None

    def _until(self) -> float:
        return self.conversations.clock() + self.conversations.ttl
