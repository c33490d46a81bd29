"""Check bots of other SDKs as `wechat-msg check` does: python -m examples.comparison.compare [--write]

The other SDKs are installed from the package index into an environment of their own, which is deleted. With --write
the tables of docs/comparison.md are replaced.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

import wechat_msg
from wechat_msg import PushSettings, generate_encoding_aes_key, generate_token
from wechat_msg.testing import PushSimulator
from wechat_msg.testing.conformance import Row, check_endpoint

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "comparison.md"
REQUIREMENTS = HERE / "requirements.txt"
BEGIN, END = "<!-- begin: written by examples/comparison/compare.py -->\n", "<!-- end -->\n"
SLOW = "7"  # the bots answer a number N after N seconds
MARKS = {"pass": "✓", "warn": "!", "fail": "✗", "skip": "–"}

Table = Mapping[str, list[Row]]


def main() -> None:
    settings = PushSettings(
        token=generate_token(), encoding_aes_key=generate_encoding_aes_key(), appid="wx0123456789abcdef"
    )
    with tempfile.TemporaryDirectory() as folder:
        python = install(Path(folder) / "venv")
        table = {
            f"wechat_msg {wechat_msg.__version__}": check(
                settings, sys.executable, "wechat_msg_bot.py", "/wechat", folder
            ),
            f"wechatpy {version_of('wechatpy')}": check(settings, python, "wechatpy_bot.py", "/wechat", folder),
            f"WeRoBot {version_of('WeRoBot')}": check(settings, python, "werobot_bot.py", "/", folder),
        }
    written = render(table)
    print(written)
    if "--write" in sys.argv:
        before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
        DOCUMENT.write_text(before + BEGIN + written + END + rest.partition(END)[2], "utf-8")


def install(place: Path) -> str:
    """Create an environment with the other SDKs, and return its Python."""
    venv.create(place, with_pip=False)
    python = str(place / "bin" / "python")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--requirement", REQUIREMENTS],
        check=True,
    )
    return python


def version_of(name: str) -> str:
    """Return the version that the requirements pin."""
    found = re.search(rf"^{name}==(\S+)", REQUIREMENTS.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else ""


def check(settings: PushSettings, python: str, program: str, path: str, folder: str) -> list[Row]:
    """Start a bot and check it."""
    with start(settings, python, program, folder) as port:
        return list(check_endpoint(PushSimulator(f"http://127.0.0.1:{port}{path}", settings), slow_text=SLOW))


@contextlib.contextmanager
def start(settings: PushSettings, python: str, program: str, folder: str) -> Iterator[int]:
    """Run a bot until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    environ = {
        **os.environ,
        "WECHAT_TOKEN": settings.token,
        "WECHAT_ENCODING_AES_KEY": settings.encoding_aes_key or "",
        "WECHAT_APPID": settings.appid or "",
        "PORT": str(port),
    }
    with (
        (Path(folder) / "log").open("ab") as log,
        subprocess.Popen([python, HERE / program], cwd=folder, env=environ, stdout=log, stderr=log) as process,
    ):
        try:
            wait_for(port, process)
            yield port
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the program accepts connections."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"{process.args} does not start")


# --- the tables ------------------------------------------------------------------------------------------------------


def render(table: Table) -> str:
    """Write a table of marks, with a column per bot, then a list of findings per bot."""
    lines = [f"| What is asked for | {' | '.join(table)} |", f"|---|{':-:|' * len(table)}"]
    lines += [
        f"| {results[0].title.en} | {' | '.join(MARKS[result.status] for result in results)} |"
        for results in zip(*table.values(), strict=True)
    ]
    for name, rows in table.items():
        found = [row for row in rows if row.status in ("warn", "fail")]
        lines += ["", f"### {name}", "", *map(describe, found)] if found else []
    return "\n" + "\n".join(lines) + "\n\n"


def describe(row: Row) -> str:
    """Describe what was found, and its impact."""
    finding = re.sub(r"([<>*`\[\]])", r"\\\1", row.finding.en)
    return f"- {MARKS[row.status]} **{row.name}**: {finding}. Then {row.impact.en}."


if __name__ == "__main__":
    main()
