"""Whether a run may go on without some hosts: quorum, roles, and what nothing passes over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.errors import HostError, HostKeyRejected
from castoff.releaser.job import Job, Kind
from castoff.releaser.release import resolve
from castoff.releaser.stragglers import least, may_leave_out, objection
from support.local_scope import make_scope


@pytest.mark.parametrize(
    ("quorum", "count", "wanted"),
    [
        ("80%", 10, 8),
        ("80%", 3, 3),
        ("50%", 3, 2),
        ("1%", 5, 1),
        ("100%", 7, 7),
        ("2", 3, 2),
        ("5", 3, 3),
        ("1", 1, 1),
    ],
)
def test_a_quorum_is_at_least_one_host_and_at_most_all(
    quorum: str, count: int, wanted: int
) -> None:
    assert least(quorum, count) == wanted


def job_of(folder: Path, kind: Kind = "release", **stragglers: Any) -> Job:
    scope = make_scope(folder, [], stragglers=stragglers)
    roles = {"web1": ("web", "db"), "web2": ("web",), "web3": ("worker",)}
    hosts = tuple(replace(host, roles=roles[host.name]) for host in scope.hosts)
    return resolve(replace(scope, hosts=hosts), kind, "1")


def said(job: Job, *names: str, held: tuple[str, ...] = (), code: str = "lost") -> str | None:
    failures = [HostError(name, "away", code=code) for name in names]
    return objection(job, job.hosts, names, failures, held)


@pytest.mark.parametrize(
    ("kind", "policy", "may"),
    [
        ("release", "fail", False),
        ("release", "wait", False),
        ("release", "quarantine", True),
        ("rollback", "quarantine", True),
        ("activate", "quarantine", True),
        ("prepare", "quarantine", False),
        ("converge", "fail", True),
    ],
)
def test_only_a_policy_of_quarantine_leaves_hosts_out(
    tmp_path: Path, kind: Kind, policy: str, may: bool
) -> None:
    assert may_leave_out(job_of(tmp_path, kind, policy=policy, quorum="1")) is may


def test_the_quorum_and_each_role_must_stand(tmp_path: Path) -> None:
    job = job_of(tmp_path, policy="quarantine", quorum="50%")

    assert said(job, "web2") is None
    assert said(job, "web2", "web1") == "1 of 3 hosts can take part, and the quorum is 2"
    assert said(job, "web3") == "no host with the role 'worker' can take part"
    assert said(job, "web1") == "no host with the role 'db' can take part"


def test_a_wrong_host_key_a_later_controller_and_a_host_that_may_have_flipped_stop_the_run(
    tmp_path: Path,
) -> None:
    job = job_of(tmp_path, policy="quarantine", quorum="1")
    rejected = HostKeyRejected("web2", "the host key HAS CHANGED", code="host-key")

    assert objection(job, job.hosts, ["web2"], [rejected], ()) == "web2 cannot be left out for this"
    assert said(job, "web2", code="stale") == "web2 cannot be left out for this"
    assert "may have flipped" in (said(job, "web2", held=("web2",)) or "")


def test_each_host_converges_by_itself(tmp_path: Path) -> None:
    job = job_of(tmp_path, "converge")

    assert said(job, "web1", "web3") is None
    assert said(job, "web1", "web2", "web3") == "no host is left"
