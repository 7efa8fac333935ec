"""Runs of the engine with secrets: which they look up, and what watches, errors and history get."""

from __future__ import annotations

import json
import stat
import traceback
from pathlib import Path
from typing import Any

import pytest

from castoff.config.errors import ConfigError
from castoff.releaser import phases
from castoff.releaser.errors import FleetError, HostError
from castoff.releaser.job import Kind, Scope
from castoff.releaser.machine import Phase
from castoff.releaser.release import resolve, run
from castoff.releaser.replies import Ran
from castoff.releaser.secrets.conceal import conceal
from castoff.releaser.secrets.errors import SecretsMissing
from castoff.releaser.secrets.secrets import Secrets
from castoff.releaser.secrets.used import needed, users
from castoff.releaser.session import AgentSession, Asked
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import history
from castoff.store.errors import CastoffError
from support.engine import check, live, outcomes
from support.local_scope import make_scope
from support.scripted import HELLO, HOST, Scripted

VALUE = "hunter2-and-more"
WHERE: dict[str, Any] = {"secrets": {"S": {"env": "THE_SECRET"}, "T": {"env": "NOT_THERE"}}}


class Recorder(Silent):
    """A watch that keeps all that it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def output(self, host: str, step: str, text: str) -> None:
        self.said.append(f"{host} {step} | {text}")

    def end(self, host: str, step: str, seconds: float, error: str | None) -> None:
        del seconds
        self.said.append(f"{host} {step} {error}")

    def note(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(autouse=True)
def _the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_SECRET", VALUE)


def step(name: str, moment: str, *secrets: str, command: str = "true", **more: Any) -> Any:
    return {"name": name, "moment": moment, "command": command, "secrets": secrets, **more}


def names(scope: Scope, kind: Kind) -> str:
    return "".join(sorted(needed(resolve(scope, kind, "1"))))


def test_a_run_looks_up_what_its_own_steps_may_need_and_nothing_else(tmp_path: Path) -> None:
    secrets = {name: {"env": name} for name in "ABCDEFGH"}
    scope = make_scope(
        tmp_path,
        [
            step("a", "prepare", "A"),
            step("b", "once", "B"),
            step("c", "activate", "C", "A"),
            step("d", "on_failure", "D"),
            step("e", "activate", "E", hosts=("web9",)),
            step("g", "on_rollback", "G"),
        ],
        secrets=secrets,
        notify=({"name": "n", "command": "true", "secrets": ("F",)},),
    )
    assert names(scope, "release") == names(scope, "activate") == "ABCDG"
    assert names(scope, "rollback") == names(scope, "converge") == "ACDG"
    assert names(scope, "prepare") == "AD"
    assert users(scope) == {
        "A": ["step a", "step c"],
        "B": ["step b"],
        "C": ["step c"],
        "D": ["step d"],
        "E": [],
        "F": ["notification n"],
        "G": ["step g"],
        "H": [],
    }


def test_a_step_has_the_secrets_that_it_names_and_another_has_not(tmp_path: Path) -> None:
    write = 'printf "%s/" "${S-none}" >> "$CASTOFF_ROOT/out"'
    scope = make_scope(
        tmp_path,
        [
            step("one", "prepare", "S", command=write, env={"S": "of env"}),
            step("two", "prepare", command=write),
            step("three", "activate", "S", command=write, run_on="controller"),
        ],
        hosts=1,
        **WHERE,
    )
    run(resolve(scope, "release", "1"), Timeline(Silent()))
    assert (Path(scope.hosts[0].root) / "out").read_text() == f"{VALUE}/none/{VALUE}/"


def test_a_secret_that_cannot_be_had_stops_a_run_before_its_lease(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [step("one", "activate", "T")], **WHERE)
    with pytest.raises(SecretsMissing, match="NOT_THERE"):
        run(resolve(scope, "release", "1"), Timeline(Silent()))
    assert not (tmp_path / "hosts").exists()
    assert outcomes(scope) == []
    assert not list((tmp_path / "store").rglob("lease*"))


def test_what_a_failing_run_says_and_keeps_holds_no_secret(tmp_path: Path) -> None:
    shows = 'echo "it is $S"; printf %s "$S" | base64'
    scope = make_scope(
        tmp_path,
        [
            step("first", "prepare", "S", command=shows),
            step("here", "activate", "S", command=shows, run_on="controller"),
            check("false"),
        ],
        **WHERE,
    )
    recorder = Recorder()
    with pytest.raises(FleetError) as caught:
        run(resolve(scope, "release", "1"), Timeline(recorder))
    said = "\n".join(
        [*recorder.said, caught.value.message, *traceback.format_exception(caught.value)]
    )
    assert recorder.said.count("web1 first | it is ***") == 1
    assert recorder.said.count("web1 here | ***") == 1
    (entry,) = history.entries(scope.store, scope.app, scope.environment_name)
    kept = entry.model_dump_json()
    assert "it is ***" in kept
    assert VALUE not in said + kept
    assert all(
        VALUE not in path.read_text("latin-1") for path in tmp_path.rglob("*") if path.is_file()
    )


def test_a_defect_that_holds_a_secret_is_told_and_kept_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        values = {"password": VALUE}
        raise RuntimeError(f"cannot use {values}") from KeyError(VALUE)

    monkeypatch.setitem(phases.PHASES, Phase.PREPARE, broken)
    scope = make_scope(tmp_path, [step("one", "activate", "S")], **WHERE)
    with pytest.raises(CastoffError) as caught:
        run(resolve(scope, "release", "1"), Timeline(Silent()))
    assert "cannot use {'password': '***'}" in caught.value.message
    assert VALUE not in "".join(traceback.format_exception(caught.value))
    (entry,) = history.entries(scope.store, scope.app, scope.environment_name)
    assert "***" in entry.detail
    assert VALUE not in entry.model_dump_json()
    assert live(scope) == ["-"] * 3


def test_what_a_host_answers_holds_no_secret(tmp_path: Path) -> None:
    del tmp_path
    secrets = Secrets({"S": VALUE})
    error = {"code": "unhealthy", "message": f"it said {VALUE}", "hint": f"try {VALUE}"}
    said = HELLO + json.dumps({"id": 1, "error": error}).encode() + b"\n"
    channel = Scripted(said, complaints=f"bye {VALUE}")
    session = AgentSession.start(HOST, lambda *_: channel, timeout=5, redact=secrets.redact)
    for wanted in ("it said ***", "bye ***"):
        with pytest.raises(HostError) as caught:
            session.ask(Ran, "run", Asked(timeout=5))
        assert wanted in caught.value.detail
        shown = "".join(traceback.format_exception(caught.value)) + caught.value.hint
        assert VALUE not in shown + caught.value.message


def test_an_error_is_redacted_with_all_that_it_speaks_for() -> None:
    inner = HostError("web1", f"inner {VALUE}")
    outer = FleetError(f"outer {VALUE}", [inner], hint=f"hint {VALUE}")
    outer.__cause__ = ValueError(VALUE, 3)
    outer.__cause__.__context__ = outer
    conceal(outer, Secrets({"S": VALUE}).redact)
    assert outer.message == "outer ***\n  web1: inner ***"
    assert (outer.hint, inner.detail, inner.message) == ("hint ***", "inner ***", "web1: inner ***")
    assert outer.__cause__.args == ("***", 3)


def test_a_file_of_secrets_comes_with_its_release_and_goes_back_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds: dict[str, Any] = {"path": "app/.env", "secrets": ("S",)}
    outside: dict[str, Any] = {
        "path": f"{tmp_path}/{{host}}.json",
        "secrets": ("S",),
        "format": "json",
        "mode": "0640",
    }
    scope = make_scope(
        tmp_path,
        [check('test "$CASTOFF_VERSION" != 2')],
        hosts=2,
        secret_files=(holds, outside),
        **WHERE,
    )

    def values() -> set[str]:
        inside = [(Path(host.root) / "current/app/.env").read_text() for host in scope.hosts]
        beside = [json.loads((tmp_path / f"{host.name}.json").read_text()) for host in scope.hosts]
        return {*(text.strip() for text in inside), *(f"S={one['S']}" for one in beside)}

    run(resolve(scope, "release", "1"), Timeline(Silent()))
    assert values() == {f"S={VALUE}"}
    (link,) = Path(scope.hosts[0].root).glob("releases/1/app/.env")
    assert link.is_symlink()
    assert stat.S_IMODE(link.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "web1.json").stat().st_mode) == 0o640

    monkeypatch.setenv("THE_SECRET", "another-value")
    with pytest.raises(FleetError):
        run(resolve(scope, "release", "2"), Timeline(Silent()))
    assert values() == {f"S={VALUE}"}
    run(resolve(scope, "release", "3"), Timeline(Silent()))
    assert values() == {"S=another-value"}
    run(resolve(scope, "rollback", "1"), Timeline(Silent()))
    # A rollback brings the code back; the secrets are those of today.
    assert values() == {"S=another-value"}


def test_two_files_in_one_place_are_refused(tmp_path: Path) -> None:
    folder = {"path": "a", "secrets": ("S",), "format": "folder"}
    file = {"path": "a/S", "secrets": ("S",)}
    scope = make_scope(tmp_path, [], secret_files=(folder, file), **WHERE)
    with pytest.raises(ConfigError, match="web1 is to have two files at a/S"):
        run(resolve(scope, "release", "1"), Timeline(Silent()))
    assert outcomes(scope) == []
