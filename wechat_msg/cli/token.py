"""``wechat-msg token``: show that an access_token can be had, and when it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from wechat_msg.cli.client_options import OpenClient, client_options
from wechat_msg.cli.command import BilingualCommand, option
from wechat_msg.cli.output import Output
from wechat_msg.testing.bilingual import Text

__all__ = ["token"]


@click.command(
    cls=BilingualCommand,
    about=Text(
        "Show that an access_token can be had with WECHAT_APPID and WECHAT_SECRET, and when it ends.",
        "检查能否用 WECHAT_APPID 与 WECHAT_SECRET 获取 access_token，并显示其有效期",
    ),
    examples=["wechat-msg token", "wechat-msg token --token-server https://tokens.example.com"],
)
@option("--show", is_flag=True, about=Text("Print the access_token, and nothing else.", "只输出 access_token 本身"))
@client_options
@click.pass_obj
def token(output: Output, *, show: bool, open_client: OpenClient) -> int:
    """Get the access_token; return 0."""
    with open_client() as client, output.waiting(Text("waiting for the answer", "等待应答")):
        found = client.get_access_token()
    if show:
        click.echo(found.access_token)
        return 0
    ends = datetime.now(UTC) + timedelta(seconds=found.expires_in)
    when = ends.astimezone().isoformat(" ", "seconds")
    output.print_line(
        "pass",
        Text(f"{client.appid} has an access_token", f"{client.appid} 的 access_token 可用"),
        Text(f"until {when}, for {found.expires_in} s", f"有效期至 {when}，还有 {found.expires_in} 秒"),
    )
    return 0
