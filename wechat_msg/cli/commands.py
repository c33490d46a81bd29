"""The command group ``wechat-msg`` with all commands."""

from __future__ import annotations

import click

from wechat_msg import __version__
from wechat_msg.cli.call import call
from wechat_msg.cli.check import check
from wechat_msg.cli.command import BilingualGroup, option
from wechat_msg.cli.decrypt import decrypt
from wechat_msg.cli.demo import demo
from wechat_msg.cli.dev import dev
from wechat_msg.cli.inbox import inbox
from wechat_msg.cli.menu import menu
from wechat_msg.cli.new_settings import new_settings
from wechat_msg.cli.playground import playground
from wechat_msg.cli.push import push
from wechat_msg.cli.serve import serve
from wechat_msg.cli.token import token
from wechat_msg.testing.bilingual import Text

__all__ = ["app"]


@click.group(
    "wechat-msg",
    cls=BilingualGroup,
    invoke_without_command=True,
    about=Text(
        "Test your push server without WeChat: this command plays WeChat's side. Or call WeChat's API.",
        "不依赖微信，在本地扮演微信服务器，测试你的消息推送服务；也可调用微信接口",
    ),
)
@option("--version", is_flag=True, about=Text("Show the version.", "显示版本"))
@click.pass_context
def app(ctx: click.Context, *, version: bool) -> None:
    """Print the version or the help, or run a command."""
    if version or ctx.invoked_subcommand is None:
        click.echo(__version__ if version else ctx.get_help())
        ctx.exit()


for _command in (dev, playground, push, check, decrypt, inbox, call, token, menu, new_settings, serve, demo):
    app.add_command(_command)
