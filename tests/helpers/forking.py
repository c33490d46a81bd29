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
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import asdict, frozen

from tests.helpers.servers import ROOT, TIMEOUT, complete


@frozen
class Program:
    """A program to run: ``[path, ...]`` or ``["-m", module, ...]``."""

    command: list[str]
    environ: dict[str, str]
    folder: str
    stdin: str
    stdout: str
    stderr: str

    def run(self) -> None:
        """Become this program."""
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


class Forks:
    """Runs programs, one at a time, in forks of a process that has imported some modules."""

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
        program = Program(list(command), dict(environ), str(folder), **places)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asdict(program)).encode() + b"\n")
        self._process.stdin.flush()
        assert select.select([self._process.stdout], [], [], TIMEOUT)[0], f"{command} does not end"
        status = int(self._process.stdout.readline())
        return status, paths["stdout"].read_text("utf-8"), paths["stderr"].read_text("utf-8")


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
    """Run the programs that come on standard input, and print the exit status of each."""
    context = multiprocessing.get_context("fork")  # ends a fork without the work of taking all modules down
    with open(os.dup(0)) as programs, open(os.dup(1), "w") as statuses:
        for line in programs:
            process = context.Process(target=Program(**json.loads(line)).run)
            process.start()
            process.join()
            print(process.exitcode, file=statuses, flush=True)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        importlib.import_module(name)
    gc.freeze()
    run_programs()
