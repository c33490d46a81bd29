"""Python programs in forks of a process that has imported their libraries: each starts in 20 ms, not in 400."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import asdict, frozen

from tests.helpers import servers
from tests.helpers.servers import ROOT, TIMEOUT, Server, complete


@frozen
class Program:
    """A program to run: ``[path, ...]`` or ``["-m", module, ...]``."""

    command: list[str]
    environ: dict[str, str]
    folder: str
    stdin: str
    stdout: str
    stderr: str
    is_server: bool = False

    def run(self) -> None:
        """Become this program."""
        if self.is_server:
            os.setsid()
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environ)
        for stream, path, mode in (
            (sys.stdin, self.stdin, "r"),
            (sys.stdout, self.stdout, "a"),
            (sys.stderr, self.stderr, "a"),
        ):
            with open(path, mode) as file:
                os.dup2(file.fileno(), stream.fileno())
        sys.stdout.reconfigure(write_through=True)
        if self.command[0] == "-m":
            sys.argv, sys.path[0] = self.command[1:], self.folder
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            path = str(Path(self.folder, self.command[0]))
            sys.argv, sys.path[0] = self.command, str(Path(path).parent)
            runpy.run_path(path, run_name="__main__")


class Fork:
    """A process that another one has forked and has not waited for yet."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._fd = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return a number when the process has ended."""
        return 0 if select.select([self._fd], [], [], 0)[0] else None

    def wait(self, timeout: float) -> None:
        assert select.select([self._fd], [], [], timeout)[0], "does not end"

    def kill(self) -> None:
        """Kill it with all its children, and wait until it has ended."""
        kill_group(self.pid)
        self.wait(TIMEOUT)
        os.close(self._fd)


class Forks:
    """Runs programs in forks of a process that has imported some modules: servers, and one at a time to its end."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process = process
        self._folder = folder

    def run(self, *command: str, environ: Mapping[str, str] | None = None, stdin: str = "") -> tuple[int, str]:
        """Run a program to its end, as `tests.helpers.servers.run` does."""
        status, output, _ = self.run_in(ROOT, *command, environ=complete(environ), stdin=stdin, stderr="stdout")
        return status, output

    def run_in(
        self, folder: Path, *command: str, environ: Mapping[str, str], stdin: str = "", stderr: str = "stderr"
    ) -> tuple[int, str, str]:
        """Run a program in a folder and return its exit status and what it printed."""
        paths = {name: self._folder / name for name in ("stdin", "stdout", "stderr")}
        for path in paths.values():
            path.write_text("", "utf-8")
        paths["stdin"].write_text(stdin, "utf-8")
        files = {"stdin": paths["stdin"], "stdout": paths["stdout"], "stderr": paths[stderr]}
        places = {name: str(path) for name, path in files.items()}
        status = self._start(Program(list(command), dict(environ), str(folder), **places))
        return status, paths["stdout"].read_text("utf-8"), paths["stderr"].read_text("utf-8")

    @contextlib.contextmanager
    def serve(self, *command: str, environ: Mapping[str, str] | None = None) -> Iterator[Server]:
        """Start a server, as `tests.helpers.servers.serve` does."""
        with tempfile.NamedTemporaryFile(dir=self._folder) as output:
            places = {"stdin": os.devnull, "stdout": output.name, "stderr": output.name}
            process = Fork(self._start(Program(list(command), complete(environ), str(ROOT), **places, is_server=True)))
            try:
                yield Server(process, output, servers.Program(process, output).wait_for_port())
            finally:
                process.kill()

    def _start(self, program: Program) -> int:
        """Return the exit status of a program, or the process id of a server."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asdict(program)).encode() + b"\n")
        self._process.stdin.flush()
        assert select.select([self._process.stdout], [], [], TIMEOUT)[0], f"{program.command} does not end"
        return int(self._process.stdout.readline())


@contextlib.contextmanager
def fork_from(*modules: str, options: tuple[str, ...] = ()) -> Iterator[Forks]:
    """Start Python with these options, and let it import the modules."""
    command = (sys.executable, *options, "-m", "tests.helpers.forking", *modules)
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            command, cwd=ROOT, env=complete(None), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process,
    ):
        try:
            yield Forks(process, Path(folder))
        finally:
            process.kill()


def run_programs() -> None:
    """Run the programs that come on standard input; print the exit status of each, or the process id of a server."""
    context = multiprocessing.get_context("fork")  # ends a fork without the work of taking all modules down
    with open(os.dup(0)) as programs, open(os.dup(1), "w") as statuses, contextlib.ExitStack() as stack:
        stack.callback(kill_servers)  # there are some if the tests were killed
        for line in programs:
            program = Program(**json.loads(line))
            process = context.Process(target=program.run)
            process.start()  # waits for the servers that have ended
            if not program.is_server:
                process.join()
            print(process.pid if program.is_server else process.exitcode, file=statuses, flush=True)


def kill_servers() -> None:
    for server in multiprocessing.active_children():
        kill_group(server.pid)


def kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended
        os.killpg(leader, signal.SIGKILL)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        importlib.import_module(name)
    gc.freeze()
    run_programs()
