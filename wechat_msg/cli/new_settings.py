"""``wechat-msg new-settings``: generate a Token and an EncodingAESKey."""

from __future__ import annotations

import click

from wechat_msg.cli.account_options import make_settings, to_variables
from wechat_msg.cli.command import BilingualCommand, option
from wechat_msg.cli.output import Output
from wechat_msg.testing.bilingual import Text

__all__ = ["new_settings"]

_WHERE = Text(
    "Enter both at mp.weixin.qq.com, in the server settings (服务器配置) of message push, and add the account's AppID.",
    "请填入公众平台 mp.weixin.qq.com 的「服务器配置」（小程序：消息推送），并补上账号的 AppID",
)


@click.command(
    cls=BilingualCommand,
    about=Text("Generate a Token and an EncodingAESKey.", "生成 Token 与 EncodingAESKey"),
    examples=["wechat-msg new-settings >> .env", 'eval "$(wechat-msg new-settings --shell)"'],
)
@option("--shell", is_flag=True, about=Text("Put export before each line.", "每行前加 export"))
@click.pass_obj
def new_settings(output: Output, *, shell: bool) -> int:
    """Print the new settings as lines of an .env file."""
    variables = to_variables(make_settings())
    del variables["WECHAT_APPID"]  # WeChat assigns the AppID
    click.echo(f"# {output.to_text(_WHERE)}")
    for name, value in variables.items():
        click.echo(f"{'export ' if shell else ''}{name}={value}")
    click.echo("# WECHAT_APPID=wx...")
    return 0
