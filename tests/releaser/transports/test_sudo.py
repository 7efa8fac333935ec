"""The agent as another user, with a real sudo on real SSH servers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.config.errors import ConfigError
from castoff.config.hosts import ResolvedHost
from castoff.config.model import SudoPassword
from castoff.releaser.built_in import ask_built_in
from castoff.releaser.errors import HostError, HostUnreachable
from castoff.releaser.replies import Prepared, Ran
from castoff.releaser.session import AgentSession, Asked, Given
from castoff.releaser.transports.become import Passwords, as_user
from support.archives import make_artifact
from support.fleet import Fleet, FleetHost
from support.fleet_fixtures import MakeFleet
from support.resolved import resolved, sessions

PASSWORD = "p4ss' word\\ 17"
STEP: dict[str, Any] = {"version": "1.0", "name": "step", "env": {}}
FROM_ENVIRONMENT = SudoPassword(env="SUDO_WORD")


@pytest.fixture
def host(make_fleet: MakeFleet) -> FleetHost:
    if shutil.which("sudo") is None:
        pytest.skip("sudo is not installed")
    fleet: Fleet = make_fleet(1)
    host = fleet.hosts[0]
    host.add_user("app")
    return host


def who(host: ResolvedHost) -> str:
    with sessions([host]) as fleet:
        return fleet.open(host).facts.user


def refusal(host: ResolvedHost) -> HostUnreachable:
    with sessions([host]) as fleet, pytest.raises(HostUnreachable) as caught:
        fleet.open(host)
    return caught.value


@pytest.mark.fleet
def test_the_agent_is_the_user_that_sudo_makes_it(host: FleetHost) -> None:
    host.add_user("deploy", sudo="ALL=(app) NOPASSWD: ALL")
    there = replace(resolved(host), user="deploy", root="~/releases")

    assert who(there) == "deploy"
    assert who(replace(there, sudo="app")) == "app"

    with sessions([replace(there, sudo="app")], lock=True) as fleet:
        fleet.open(replace(there, sudo="app"))
    assert host.path("/srv/home/app/releases/.castoff").is_dir(), "~ is the home of that user"


@pytest.mark.fleet
def test_a_password_is_given_where_sudo_wants_one_and_does_no_harm_where_it_does_not(
    host: FleetHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.add_user("careful", password=PASSWORD, sudo="ALL=(app) ALL")
    host.add_user("trusted", sudo="ALL=(app) NOPASSWD: ALL")
    monkeypatch.setenv("SUDO_WORD", PASSWORD)
    there = resolved(host, sudo="app", sudo_password=FROM_ENVIRONMENT)

    assert who(replace(there, user="careful")) == "app"
    assert who(replace(there, user="trusted")) == "app"


@pytest.mark.fleet
def test_the_password_is_in_no_command_line_on_the_host(
    host: FleetHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.add_user("careful", password=PASSWORD, sudo="ALL=(app) ALL")
    monkeypatch.setenv("SUDO_WORD", PASSWORD)
    there = replace(resolved(host, sudo="app", sudo_password=FROM_ENVIRONMENT), user="careful")

    with sessions([there]) as fleet:
        fleet.open(there)
        running = host.run("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' ' '").stdout
    assert "castoff-agent" in running
    assert PASSWORD not in running
    assert PASSWORD not in host.read("/srv/sshd.log")


@pytest.mark.fleet
def test_a_wrong_password_is_told_without_telling_it(
    host: FleetHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.add_user("careful", password=PASSWORD, sudo="ALL=(app) ALL")
    monkeypatch.setenv("SUDO_WORD", "another word")
    there = replace(resolved(host, sudo="app", sudo_password=FROM_ENVIRONMENT), user="careful")

    error = refusal(there)

    assert error.code == "sudo"
    assert "does not take the password" in error.message
    assert "another word" not in error.message + error.hint


@pytest.mark.fleet
def test_a_password_that_nobody_gives_is_asked_for_in_the_hint(host: FleetHost) -> None:
    host.add_user("careful", password=PASSWORD, sudo="ALL=(app) ALL")

    error = refusal(replace(resolved(host, sudo="app"), user="careful"))

    assert (error.code, "asks for a password" in error.message) == ("sudo", True)
    assert "NOPASSWD" in error.hint
    assert "sudo_password" in error.hint


@pytest.mark.fleet
def test_who_may_not_become_the_user_is_told_so(host: FleetHost) -> None:
    host.add_user("nobody-special", password=PASSWORD)
    host.add_user("limited", sudo="ALL=(app) NOPASSWD: /bin/true")
    host.add_user("free", sudo="ALL=(ALL) NOPASSWD: ALL")

    limited = refusal(replace(resolved(host, sudo="app"), user="limited"))
    assert limited.code == "sudo"
    unknown = refusal(replace(resolved(host, sudo="ghost"), user="free"))
    assert "no user 'ghost'" in unknown.message


@pytest.mark.fleet
def test_who_is_not_in_sudoers_at_all_is_told_so(
    host: FleetHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.add_user("stranger", password=PASSWORD)
    monkeypatch.setenv("SUDO_WORD", PASSWORD)
    there = replace(resolved(host, sudo="app", sudo_password=FROM_ENVIRONMENT), user="stranger")

    error = refusal(there)

    assert "does not let the user become app" in error.message
    assert "sudoers" in error.hint


@pytest.mark.fleet
def test_a_missing_interpreter_is_not_taken_for_a_missing_sudo(host: FleetHost) -> None:
    host.add_user("deploy", sudo="ALL=(app) NOPASSWD: ALL")

    error = refusal(replace(resolved(host, sudo="app"), user="deploy", python="python9"))

    assert (error.code, "python9" in error.message) == ("python", True)


@pytest.fixture
def prepared(host: FleetHost) -> Iterator[AgentSession]:
    """A release on a host where the agent's user may become `app`, and nobody else."""
    host.add_user("deploy", sudo="ALL=(app) NOPASSWD: ALL")
    host.add_user("other")
    there = replace(resolved(host), root="~/app", user="deploy")
    artifact = make_artifact("1.0", {"app/main.py": b""})

    def archive(offset: int, length: int) -> Iterator[bytes]:
        yield artifact.archive[offset : offset + length]

    with sessions([there], lock=True) as fleet:
        fleet.open(there)
        session = fleet.sessions[there.name]
        session.ask(
            Prepared, "prepare", Asked(timeout=20, archive=Given(archive)), **artifact.request()
        )
        yield session


@pytest.mark.fleet
def test_what_runs_as_another_user_ends_when_its_time_is_over(
    host: FleetHost, prepared: AgentSession
) -> None:
    stubborn = "trap '' TERM; echo $$ >/tmp/pid; id -un; while :; do sleep 0.1; done"
    said: list[str] = []
    with pytest.raises(HostError) as caught:
        prepared.ask(
            Ran,
            "run",
            Asked(timeout=60, on_event=lambda event: said.append(str(event["text"]))),
            **STEP,
            command=stubborn,
            user="app",
            timeout=0.5,
        )
    assert caught.value.code == "step-timeout"
    assert "".join(said).endswith("app\n")
    state = host.run('ps -o stat= -p "$(cat /tmp/pid)"', check=False).stdout
    assert state.strip()[:1] in ("", "Z"), "it has ended, whether somebody asks how or not"


@pytest.mark.fleet
def test_a_process_that_the_steps_user_may_not_see_either_is_no_process_that_has_gone(
    host: FleetHost, prepared: AgentSession
) -> None:
    host.run("su other -c 'cd /; sleep 600 >/dev/null 2>&1 & echo $!' >/srv/x.pid")

    assert "app may not see which release process" in refused(prepared, "app", "true").message
    error = refused(prepared, "other", "true")
    assert "is another user's, and cannot be looked into" in error.message
    assert "sudo" in error.message
    assert "without a password" in error.hint


@pytest.mark.fleet
def test_a_server_of_another_user_shows_its_release_by_what_it_has_not_inherited(
    host: FleetHost, prepared: AgentSession
) -> None:
    host.run("touch /srv/x.pid; chmod 666 /srv/x.pid")
    start = "sleep 600 >/dev/null 2>&1 & echo $! >/srv/x.pid"

    assert "nothing shows that" in refused(prepared, "app", start).message
    restart(prepared, "app", f"cd app; {start}", timeout=20)


def refused(session: AgentSession, user: str, command: str) -> HostError:
    with pytest.raises(HostError) as caught:
        restart(session, user, command, timeout=1)
    return caught.value


def restart(session: AgentSession, user: str, command: str, *, timeout: float) -> None:
    options = {"command": command, "pid_file": "/srv/x.pid", "grace": 0, "settle": 0}
    step = {**STEP, "options": options, "user": user, "timeout": timeout}
    ask_built_in(session, "restart", Asked(timeout=60), **step)


def test_the_command_is_of_plain_words() -> None:
    assert as_user("app", "python3 -c 'x'", password=False) == (
        "sudo -n -H -u app -- python3 -c 'x'"
    )
    assert as_user("app", "true", password=True) == "sudo -S -p '' -H -u app -- true"


def test_a_password_comes_from_the_first_line_of_a_command(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    source = SudoPassword(command=f"echo x >> {mark}; printf 'secret\\nmore\\n'")
    passwords = Passwords()

    assert [passwords.get(source), passwords.get(source)] == ["secret", "secret"]
    assert mark.read_text() == "x\n", "asked once for all hosts"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (SudoPassword(env="NOT_SET_AT_ALL"), "environment variable NOT_SET_AT_ALL does not hold"),
        (SudoPassword(command="exit 3"), "ended with status 3"),
        (SudoPassword(command="true"), "its command's output does not hold"),
    ],
)
def test_a_password_that_cannot_be_had_is_told(source: SudoPassword, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Passwords().get(source)
