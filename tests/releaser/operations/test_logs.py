"""The command that reads logs on a host, run by the shells that people log in with."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from castoff.releaser.operations.logs import Wanted, read_logs, shell_command
from support.local_scope import make_scope

SHELLS = ["sh", "bash", "fish", "csh"]


def wanted(*files: str, follow: bool = False) -> Wanted:
    return Wanted(files=files, unit=None, lines=2, follow=follow)


def start(shell: str, command: str, home: Path) -> subprocess.Popen[str]:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    return subprocess.Popen(
        [shell, "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
    )


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "an app" / "shared"
    folder.mkdir(parents=True)
    (folder / "it's.log").write_text("one\ntwo\nthree\n")
    return folder


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("below_home", [True, False])
def test_the_end_of_a_file_is_read(
    shell: str, shared: Path, tmp_path: Path, below_home: bool
) -> None:
    root = "~/an app" if below_home else str(shared.parent)
    process = start(shell, shell_command(wanted("it's.log"), root, "castoff-end"), tmp_path)
    assert process.communicate(timeout=20)[0] == "two\nthree\n\ncastoff-end 0\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one\ntwo\n", ["one", "two"]),
        ("one\ntwo", ["one", "two"]),
        ("one\n\n", ["one", ""]),
        ("", []),
        ("castoff-end 0\ncastoff-end\n", ["castoff-end 0", "castoff-end"]),
    ],
)
def test_a_log_is_passed_on_as_it_is_with_or_without_an_end_of_its_last_line(
    tmp_path: Path, text: str, lines: list[str]
) -> None:
    scope = make_scope(tmp_path, [], hosts=1)
    shared = Path(scope.hosts[0].root) / "shared"
    shared.mkdir(parents=True)
    (shared / "app.log").write_text(text)
    heard: list[str] = []
    read_logs(scope, wanted("app.log"), lambda _host, line: heard.append(line))
    assert heard == lines


@pytest.mark.parametrize("shell", SHELLS)
def test_what_cannot_be_read_is_told_with_a_status(
    shell: str, shared: Path, tmp_path: Path
) -> None:
    process = start(
        shell, shell_command(wanted("none.log"), str(shared.parent), "castoff-end"), tmp_path
    )
    out = process.communicate(timeout=20)[0]
    assert "cannot open 'none.log'" in out
    assert out.endswith("castoff-end 1\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_reader_that_follows_ends_with_its_input(
    shell: str, shared: Path, tmp_path: Path
) -> None:
    command = shell_command(wanted("it's.log", follow=True), str(shared.parent), "castoff-end")
    process = start(shell, command, tmp_path)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["two\n", "three\n"]
    with (shared / "it's.log").open("a") as log:
        log.write("four\n")
    assert process.stdout.readline() == "four\n"

    # Standard output is open for as long as anything that was started lives.
    process.communicate(timeout=20)


def test_a_unit_is_read_from_the_journal() -> None:
    command = shell_command(Wanted(files=(), unit="shop", lines=5, follow=False), "/srv/x", "end")
    assert "journalctl --no-pager -n 5 -u shop" in command
