"""``wechat-msg demo``: a bot, WeChat played against it, and the whole story on one screen."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import click

from wechat_msg.cli.command import Command
from wechat_msg.cli.output import Output
from wechat_msg.cli.scenes import QUICK, SLOW, Line, Scene
from wechat_msg.cli.stage import Stage, open_stage
from wechat_msg.testing.text import Text

__all__ = ["demo", "tell"]


@click.command(
    cls=Command,
    about=Text(
        "Show on one screen what happens between WeChat and a bot. Takes about 8 seconds.",
        "一屏演示微信与机器人之间的全过程，约 8 秒",
    ),
)
@click.pass_obj
def demo(output: Output) -> int:
    """Play it; 0 if everything was as expected."""
    with ThreadPoolExecutor() as beside, open_stage() as stage:
        output.say(
            Text(f"A bot at {stage.bot}; WeChat is played against it.", f"机器人位于 {stage.bot}，以下由本程序扮演微信")
        )
        slow = {title: beside.submit(_play, play, stage) for title, play in SLOW.items()}
        unexpected = sum(tell(output, title, play(stage)) for title, play in QUICK.items())
        for title, lines in slow.items():
            with output.waiting(Text("waiting for slow answers", "等待慢回复")):
                lines.result()
            unexpected += tell(output, title, lines.result())
    output.say()
    if unexpected:
        output.line("fail", Text(f"{unexpected} not as expected", f"{unexpected} 项与预期不符"))
    else:
        output.line("pass", Text("everything as expected", "全部符合预期"))
    return 1 if unexpected else 0


def _play(scene: Scene, stage: Stage) -> list[Line]:
    return list(scene(stage))


def tell(output: Output, title: Text, lines: Iterable[Line]) -> int:
    """Print a scene; return how many lines are not as expected."""
    output.say()
    output.say(title, style="bold")
    unexpected = 0
    for line in lines:
        output.line("pass" if line.is_expected else "fail", line.what, line.seen)
        unexpected += not line.is_expected
    return unexpected
