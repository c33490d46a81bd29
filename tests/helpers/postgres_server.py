"""A PostgreSQL of the tests' own, in a temporary folder; it ends with the tests, even if they are killed."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.helpers.servers import do_without

TIMEOUT = 60.0
USER = "tester"

#: Options: no durability, no network, and no statement that waits for ever.
_CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
full_page_writes = off
synchronous_commit = off
shared_buffers = 16MB
max_connections = 200
statement_timeout = 60s
"""
#: Waits for the end of standard input, which comes with the end of the tests however they end, and clears up.
_CLEAR_UP = 'read _; "$0/pg_ctl" --pgdata "$1/data" --mode immediate stop >/dev/null 2>&1; rm -rf "$1"'
#: PostgreSQL refuses to run as root.
_ACCOUNT: dict[str, Any] = {}
if os.geteuid() == 0:
    _NOBODY = pwd.getpwnam("nobody")
    _ACCOUNT = {"user": _NOBODY.pw_uid, "group": _NOBODY.pw_gid, "extra_groups": []}


@frozen
class Postgres:
    """A server with a socket in `folder` instead of a port, which another program could have taken."""

    folder: Path
    _programs: Path

    @property
    def settings(self) -> dict[str, Any]:
        """An entry of Django's DATABASES."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": USER,
            "HOST": str(self.folder),
            "OPTIONS": {"connect_timeout": 20},
        }

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._control("start")

    def stop(self) -> None:
        """Stop it as its administrator would, in spite of open connections."""
        self._control("stop", "--mode", "fast")

    def _control(self, *command: str) -> None:
        data, log = self.folder / "data", self.folder / "log"
        _execute(self._programs / "pg_ctl", "--pgdata", data, "--log", log, "--silent", "--wait", *command)


@contextlib.contextmanager
def run_postgres() -> Iterator[Postgres]:
    """Start a server, and stop it in the end."""
    programs = find_programs()
    if programs is None:
        do_without("PostgreSQL")
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # the path of a socket may have 107 characters only
    if _ACCOUNT:
        shutil.chown(folder, _ACCOUNT["user"], _ACCOUNT["group"])
    command = ("sh", "-c", _CLEAR_UP, programs, folder)
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, cwd="/", **_ACCOUNT):
        _execute(
            *(programs / "initdb", "--pgdata", folder / "data", "--username", USER),
            *("--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8"),
        )
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION.format(folder=folder))
        server = Postgres(folder, programs)
        server.start()
        yield server


def find_programs() -> Path | None:
    """Return the folder of initdb and pg_ctl: Debian's newest version, else the one on the PATH."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if folders:
        return max(folders, key=lambda folder: [int(number) for number in re.findall(r"[0-9]+", str(folder))])
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _execute(*command: str | Path) -> None:
    done = subprocess.run(
        command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, **_ACCOUNT
    )
    assert done.returncode == 0, done.stdout + done.stderr
