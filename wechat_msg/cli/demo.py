"""``wechat-msg demo``: show all scenes between a bot and a simulated WeChat on one screen."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import click

from wechat_msg.cli.command import BilingualCommand
from wechat_msg.cli.output import Output
from wechat_msg.cli.scenes import QUICK, SLOW, Line
from wechat_msg.cli.stage import open_stage
from wechat_msg.testing.bilingual import Text

__all__ = ["demo", "print_scene"]


@click.command(
    cls=BilingualCommand,
    about=Text(
        "Show on one screen what happens between WeChat and a bot; takes about 8 seconds.",
        "一屏演示微信与机器人之间的全过程，约 8 秒",
    ),
)
@click.pass_obj
def demo(output: Output) -> int:
    """Play all scenes; return 0 if everything was as expected."""
    with ThreadPoolExecutor() as background, open_stage() as stage:
        output.print_text(
            Text(f"Bot: {stage.bot}. This program plays WeChat.", f"机器人位于 {stage.bot}，以下由本程序扮演微信")
        )
        slow = {title: background.submit(list, play(stage)) for title, play in SLOW.items()}
        unexpected = sum(print_scene(output, title, play(stage)) for title, play in QUICK.items())
        for title, lines in slow.items():
            with output.waiting(Text("waiting for slow answers", "等待慢回复")):
                lines.result()
            unexpected += print_scene(output, title, lines.result())
    output.print_text()
    if unexpected:
        output.print_line("fail", Text(f"{unexpected} not as expected", f"{unexpected} 项与预期不符"))
    else:
        output.print_line("pass", Text("everything as expected", "全部符合预期"))
    return 1 if unexpected else 0


def print_scene(output: Output, title: Text, lines: Iterable[Line]) -> int:
    """Print a scene and return how many lines are not as expected."""
    output.print_text()
    output.print_text(title, style="bold")
    unexpected = 0
    for line in lines:
        output.print_line("pass" if line.is_expected else "fail", line.what, line.seen)
        unexpected += not line.is_expected
    return unexpected
