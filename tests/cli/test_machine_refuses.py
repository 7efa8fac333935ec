"""What the machine refuses is told of as that, and is no defect."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from castoff.cli import main
from support.site import CASTOFF, Site


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/a"), 33, "castoff: /a: No space left"),
        (OSError(errno.EMFILE, "Too many open files"), 33, "-> Let it open more files"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/a"), 1, "defect"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), 1, "defect"),
        (ConnectionError("what"), 1, "defect"),
    ],
)
def test_the_system_says_no(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    error: OSError,
    code: int,
    said: str,
) -> None:
    def broken(**_: bool) -> None:
        raise error

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(main, "tree", lambda _: broken)
    with pytest.raises(SystemExit) as left:
        main.main()
    assert left.value.code == code
    assert said in capsys.readouterr().err


def test_there_is_no_place_for_temporary_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/none"])
    monkeypatch.setattr(main, "tree", lambda _: lambda **_: tempfile.mkdtemp())
    with pytest.raises(SystemExit) as left:
        main.main()
    assert left.value.code == 33
    assert "TMPDIR" in capsys.readouterr().err


def test_the_current_folder_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["bash", "-c", f"rmdir {gone}; exec {CASTOFF} status"],
        cwd=gone,
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        33,
        "castoff: the current folder is gone",
    )


def test_a_reason_that_is_no_text_is_kept_as_far_as_it_is(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.write({"castoff.toml": '[apps.x]\n[environments.e]\nhosts = [{ name = "a" }]\n'})
    assert site.castoff("lock", "-m", "\udcff is é").code == 0
    (entry,) = site.castoff("history", "--json").json
    assert entry["reason"] == "\N{REPLACEMENT CHARACTER} is é"
