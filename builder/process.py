"""Run a tool in an environment that is known, and keep what it says for the case that it fails."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryFile
from threading import Thread, get_ident

from castoff.builder.errors import BuildError
from castoff.builder.orphans import end, ending_with_us

# What `run` waits for, by thread.
_running: dict[int, subprocess.Popen[bytes]] = {}


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    task: str,
    given: bytes | None = None,
    hint: str = "",
) -> bytes:
    """Run a program to its end; return its standard output.

    Args:
        argv: The program and its arguments; no shell reads them.
        cwd: The folder that it starts in.
        env: All of its environment.
        task: What it is for, to continue the sentence "could not …".
        given: Its standard input; nothing by default.
        hint: What to do if it fails.

    Raises:
        BuildError: It cannot be started, or returns something other than 0.
    """
    name = Path(argv[0]).name
    try:
        process = subprocess.Popen(
            [str(word) for word in argv],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise _no_start(argv, error, task, hint) from error
    with process, ending_with_us(process.pid):
        _running[get_ident()] = process
        try:
            output, complaint = process.communicate(given or b"")
        except BaseException:
            end(process)
            raise
        finally:
            del _running[get_ident()]
    if process.returncode != 0:
        said = (output + b"\n" + complaint).decode(errors="replace")
        raise _failure(name, process.returncode, task, hint, said)
    return output


def end_of_thread(ident: int) -> None:
    """End the program that `run` has started in a thread and waits for there, if there is one.

    Args:
        ident: What `threading.get_ident` returns in that thread.
    """
    process = _running.get(ident)
    if process is not None:
        end(process)


class Dialogue:
    """Lines to a program that runs, and from it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Take a process that was started with pipes."""
        if process.stdin is None or process.stdout is None:
            raise ValueError("the program was started without pipes")
        self._to, self._from = process.stdin, process.stdout
        self._said: SimpleQueue[str | None] = SimpleQueue()
        # All the time, or both could wait for each other with their pipes full.
        self._listening = Thread(target=self._listen, daemon=True)
        self._listening.start()

    def say(self, line: str) -> None:
        """Write a line to its standard input.

        Raises:
            BrokenPipeError: It has ended.
        """
        self._to.write(f"{line}\n")
        self._to.flush()

    def answers(self) -> Iterator[str]:
        """End its standard input; yield the lines of its standard output, to its end."""
        self._to.close()
        while (line := self._said.get()) is not None:
            yield line

    def end(self) -> None:
        """End its standard input; wait until it has said all."""
        with suppress(BrokenPipeError):
            self._to.close()
        self._listening.join()

    def _listen(self) -> None:
        for line in self._from:
            self._said.put(line.rstrip("\n"))
        self._said.put(None)


@contextmanager
def running(
    argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], task: str
) -> Iterator[Dialogue]:
    """Run a program beside the block, which talks with it by lines, and wait for its end.

    Args:
        argv: As `run` takes them all.
        cwd: See there.
        env: See there.
        task: See there.

    Raises:
        BuildError: It cannot be started, or returns something other than 0.
    """
    with TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                [str(word) for word in argv],
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        except OSError as error:
            raise _no_start(argv, error, task, "") from error
        # Where it has ended before its time, it has said why.
        with suppress(BrokenPipeError), process:
            dialogue = Dialogue(process)
            try:
                yield dialogue
            except BaseException as error:
                if not isinstance(error, BrokenPipeError):
                    process.kill()
                raise
            finally:
                dialogue.end()
        if process.returncode != 0:
            log.seek(0)
            said = log.read().decode(errors="replace")
            raise _failure(Path(argv[0]).name, process.returncode, task, "", said)


def _no_start(argv: Sequence[str | Path], error: OSError, task: str, hint: str) -> BuildError:
    message = f"could not {task}: {argv[0]}: {error.strerror}"
    return BuildError(message, hint=hint, command=Path(argv[0]).name)


def _failure(name: str, status: int, task: str, hint: str, said: str) -> BuildError:
    message = f"could not {task}: {name} failed with exit status {status}"
    return BuildError(message, hint=hint, command=name, output=said)
