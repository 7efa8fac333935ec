"""What a release would change in hosts' configuration files, as texts that people compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff

from castoff.config.hosts import ResolvedHost
from castoff.releaser.configuration.rendered import RenderedFile
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.replies import Compared, ComparedFile
from castoff.releaser.session import Asked


@dataclass(frozen=True, slots=True)
class FileChange:
    """What would become of one file, on all hosts where it is the same.

    Attributes:
        change: `new`, `changed`, `removed`, or `restored` to what it was before Castoff.
        edited: Whether somebody has changed it since Castoff put it there.
        diff: A unified difference without secrets; or, in words, why there is none.
        hosts: Their names, in the order of the file.
    """

    path: str
    change: str
    edited: bool
    diff: str
    hosts: tuple[str, ...]


def compare(
    job: Job, fleet: Fleet, host: ResolvedHost, files: Sequence[RenderedFile]
) -> tuple[FileChange, ...]:
    """Ask a host what its files would change; nothing is changed.

    Raises:
        HostError: It does not answer, or something stands where a file should be.
    """
    if not files and not fleet.opened[host.name].state.configured:
        return ()
    answer = fleet.sessions[host.name].ask(
        Compared,
        "compare",
        Asked(timeout=job.within(host.name, job.environment.limits.prepare)),
        files=[
            {"path": file.path, "sha256": file.sha256, "secret": bool(file.file.secrets)}
            for file in files
        ],
    )
    new = {file.path: file for file in files}
    return tuple(
        FileChange(
            path=row.path,
            change=row.change,
            edited=row.edited,
            diff=job.secrets.redact(_diff(row, new.get(row.path))),
            hosts=(host.name,),
        )
        for row in answer.files
    )


def grouped(changes: Mapping[str, Sequence[FileChange]]) -> tuple[FileChange, ...]:
    """Return the changes of all hosts, each once with the names of the hosts that it is on."""
    hosts: dict[tuple[str, str, bool, str], list[str]] = {}
    for name, several in changes.items():
        for one in several:
            hosts.setdefault((one.path, one.change, one.edited, one.diff), []).append(name)
    return tuple(
        FileChange(path, change, edited, diff, tuple(names))
        for (path, change, edited, diff), names in sorted(hosts.items())
    )


def _diff(row: ComparedFile, new: RenderedFile | None) -> str:
    after = row.after if new is None else new.shown
    if row.before is None or after is None:
        return "what it says is not shown: it holds or held secrets, or others may not read it"
    if row.before == after:
        return "only the value of a secret changes"
    names = f"{row.path} now", f"{row.path} then"
    lines = unified_diff(row.before.splitlines(), after.splitlines(), *names, lineterm="")
    return "\n".join(lines)
