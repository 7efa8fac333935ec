"""Standard streams that are full, closed, of another encoding, or read by a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.site import CASTOFF, Site

FULL = "castoff: standard output cannot be written: No space left on device\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


def shell(site: Site, line: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of shell, in which `castoff` is the installed script."""
    return subprocess.run(
        ["bash", "-c", f'castoff() {{ "{CASTOFF}" "$@"; }}; {line}'],
        cwd=site.folder,
        env=site.environment() | {"XDG_CACHE_HOME": str(site.home / "cache")} | variables,
        check=False,
        capture_output=True,
    )


@pytest.mark.parametrize("words", ["cache", "cache --json", "--help"])
def test_output_that_cannot_be_written_is_said_once_and_has_a_code(site: Site, words: str) -> None:
    done = shell(site, f"castoff {words} >/dev/full")
    assert (done.returncode, done.stderr.decode()) == (32, FULL)


def test_what_failed_before_keeps_its_code(site: Site) -> None:
    done = shell(site, "castoff status --json >/dev/full")
    assert done.returncode == 3
    assert done.stderr.decode().startswith("castoff: there is no castoff.toml")
    assert done.stderr.decode().endswith(FULL)


def test_a_page_whose_reader_leaves_is_no_failure(site: Site) -> None:
    site.write(
        {
            "castoff.toml": '[apps.x]\n[environments.e]\ntransport = "local"\nroot = "./h/{host}"\n'
            '[[environments.e.hosts]]\nname = "a"\n',
            ".gitignore": "/artifacts/\n/h/\n",
        }
    )
    site.publish("1.0")
    assert site.castoff("release", "1.0").code == 0
    done = shell(
        site,
        "{ sleep 0.2; castoff report -o -; echo $? >code; castoff report -o - >/dev/full; }"
        " | true; echo ${PIPESTATUS[0]}",
    )
    assert (site.folder / "code").read_text() == "0\n"
    assert (done.stdout, done.stderr.decode()) == (b"32\n", FULL)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_one_that_nobody_reads(site: Site, closed: str) -> None:
    done = shell(
        site, f"castoff cache {closed}; code=$?; castoff status {closed}; exit $((code+$?))"
    )
    assert done.returncode == 3
    said = b"castoff: there is no castoff.toml" in done.stderr
    assert said == ("2>" not in closed)
    assert b"2.0 GiB" in done.stdout or ">&- " in f"{closed} "


PROBE = """
import subprocess
from castoff.cli.standard_streams import ready_streams

ready_streams()
with open("other", "w"):
    look = 'seen=$(for n in 0 1 2; do readlink /proc/$$/fd/$n; done); echo "$seen" >seen'
    subprocess.run(["sh", "-c", look])
"""


def test_no_file_takes_the_place_of_a_closed_stream(site: Site) -> None:
    site.write({"probe.py": PROBE})
    done = shell(site, f"{sys.executable} probe.py <&- >&- 2>&-")
    assert done.returncode == 0
    assert (site.folder / "seen").read_text().split() == ["/dev/null"] * 3


def test_a_slow_reader_gets_all_though_the_pipe_was_told_not_to_wait() -> None:
    code = (
        "import sys; from castoff.cli.standard_streams import ready_streams; "
        "out = ready_streams(); sys.stdout.write('x' * 1_000_000); out.flush(); sys.exit(out.used)"
    )
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with subprocess.Popen([sys.executable, "-c", code], stdout=writing) as process:
        os.close(writing)
        with pytest.raises(subprocess.TimeoutExpired):  # it waits
            process.wait(1)
        with os.fdopen(reading, "rb") as pipe:
            assert len(pipe.read()) == 1_000_000


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("status", 3, "there is no castoff.toml"),
        ("status --nonsense", 2, "No such option: --nonsense"),
        ("history 0", 2, "Invalid value for '[N]'"),
        ("notes 9.9 --format json", 3, "there is no castoff.toml"),
        ("cache prune --max-size much", 2, "--max-size: 'much' is not a size"),
    ],
)
def test_a_program_is_told_of_a_failure_as_json(
    site: Site, words: str, code: int, said: str
) -> None:
    told = () if "json" in words else ("--json",)
    outcome = site.castoff(*words.split(), *told)
    assert outcome.code == code
    assert (outcome.json["ok"], outcome.json["exit_code"]) == (False, code)
    assert outcome.json["error"].startswith(said)
    assert outcome.json["error"] in outcome.err
    # Behind `--` it is a word of somebody else's.
    assert not told or site.castoff(*words.split(), "--", *told).out == ""


def test_a_name_that_is_no_text_comes_out_as_it_is(site: Site) -> None:
    folder = str(site.home / "\udcff é")
    plain = shell(site, "castoff cache", XDG_CACHE_HOME=folder, LC_ALL="C.UTF-8")
    assert plain.stdout.startswith(f"{folder}/castoff: ".encode(errors="surrogateescape"))
    for encoding in ("utf-8", "latin-1"):
        document = shell(
            site, "castoff cache --json", XDG_CACHE_HOME=folder, PYTHONIOENCODING=encoding
        )
        assert json.loads(document.stdout.decode())["folder"] == f"{folder}/castoff"


def test_a_defect_is_told_of_where_there_is_no_room_for_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from castoff.cli import failed

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        assert failed.confess().code == 1
    said = capsys.readouterr().err
    assert "division by zero\ncastoff: this is a defect in Castoff (ZeroDivisionError)." in said
    assert "is above" in said
