"""The edge: errors become one message and an exit code, and nothing heavy is loaded for nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.site import CASTOFF, Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


def test_without_a_configuration_the_way_to_one_is_shown(site: Site) -> None:
    outcome = site.castoff("status")
    assert outcome.code == 3
    assert "castoff init" in outcome.err


@pytest.mark.parametrize(
    "words", [["--version"], ["history", "--help"], ["history", "--json"], ["status"], ["nonsense"]]
)
def test_what_the_other_tests_run_is_what_the_installed_script_is(
    site: Site, words: list[str]
) -> None:
    site.write({"castoff.toml": '[apps.x]\n[environments.é]\nhosts = [{ name = "a" }]\n'})
    installed = subprocess.run(
        [str(CASTOFF), *words],
        cwd=site.folder,
        env=site.environment(),
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    outcome = site.castoff(*words)
    assert (outcome.code, outcome.out, outcome.err) == (
        installed.returncode,
        installed.stdout,
        installed.stderr,
    )


def test_a_tool_that_fails_is_heard_of_where_ends_of_children_are_ignored(site: Site) -> None:
    site.write({"castoff.toml": '[apps.x]\n[environments.e]\nhosts = [{ name = "a" }]\n'})
    # Handed on to whatever is started, as by some supervisors and CI runners.
    starter = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
    outcome = subprocess.run(
        [sys.executable, "-c", f"{starter}os.execv(sys.argv[1], sys.argv[1:])", CASTOFF, "build"],
        cwd=site.folder,
        env=site.environment(),
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert outcome.returncode == 4
    assert "no commit" in outcome.stderr


def test_a_defect_of_ours_shows_no_traceback_but_says_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from castoff.cli import main

    def broken(**_: bool) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(main, "tree", lambda _: broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as left:
        main.main()
    assert left.value.code == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "defect in Castoff (ZeroDivisionError)" in said
    (log,) = tmp_path.glob("castoff-*.log")
    assert str(log) in said
    assert "ZeroDivisionError" in log.read_text()


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["--help"], {"boto3", "botocore", "paramiko", "pydantic", "rich"}),
        (["--version"], {"boto3", "botocore", "paramiko", "pydantic", "rich"}),
        (["versions"], {"boto3", "botocore", "paramiko", "pydantic", "rich", "tempfile"}),
        (["versions"], {"castoff.cli.release", "concurrent.futures", "logging", "secrets"}),
        (["versions", "--app", "x"], {"boto3", "botocore", "paramiko", "pydantic", "rich"}),
        (["versions", "--config", "bucket.toml"], {"paramiko", "pydantic", "rich"}),
        (["versions", "--config", "castoff.toml"], {"pydantic", "rich"}),
        (["history", "--json"], {"boto3", "botocore", "paramiko", "castoff.config.model"}),
    ],
)
def test_a_command_loads_nothing_that_it_does_not_use(
    site: Site, words: list[str], unwanted: set[str]
) -> None:
    names = '[apps.x]\n[environments.e]\nhosts = [{ name = "a" }]\n'
    bucket = '[store]\nurl = "s3://bucket/prefix"\nregion = "eu-west-1"\n'
    site.write({"castoff.toml": names, "bucket.toml": bucket + names})
    code = (
        "import sys\n"
        "from castoff.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=site.folder,
        # There are no credentials, which is found out when all is loaded.
        env=site.environment() | {"AWS_EC2_METADATA_DISABLED": "true"},
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = set(done.stderr.split())
    assert not unwanted & loaded
    assert ("boto3" in loaded) == ("bucket.toml" in words)


def test_a_start_never_looks_for_garbage(site: Site) -> None:
    site.write({"castoff.toml": '[apps.x]\n[environments.e]\nhosts = [{ name = "a" }]\n'})
    code = (
        "import gc, sys\n"
        "from castoff.cli.program import program\n"
        "before = sum(kind['collections'] for kind in gc.get_stats())\n"
        "try:\n    program()\n"
        "except SystemExit:\n    pass\n"
        "print(sum(kind['collections'] for kind in gc.get_stats()) - before, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "history", "--json"],
        cwd=site.folder,
        env=site.environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(done.stderr) == 0


@pytest.mark.parametrize(
    ("words", "code"), [("versions", 0), ("history", 0), ("build --ref nowhere", 4)]
)
def test_a_reader_that_leaves_early_changes_nothing(site: Site, words: str, code: int) -> None:
    site.write({"castoff.toml": '[apps.x]\n[environments.e]\nhosts = [{ name = "a" }]\n'})
    site.commit("start")
    # A pipe whose reading end is closed before anything is written.
    done = subprocess.run(
        ["bash", "-c", f"{{ sleep 0.2; {CASTOFF} {words}; echo $? >code; }} 2>&1 | true"],
        cwd=site.folder,
        env=site.environment(),
        check=False,
    )
    assert done.returncode == 0
    assert (site.folder / "code").read_text() == f"{code}\n"
