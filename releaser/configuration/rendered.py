"""All files of a release, rendered for each host before any of them is touched."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castoff.config.hosts import ResolvedHost, resolve_hosts
from castoff.config.model import ConfigFile, SecretFile
from castoff.releaser.configuration.context import variables
from castoff.releaser.configuration.files import HostFile, check_of, files_on, mode_of
from castoff.releaser.configuration.templates import Templates
from castoff.releaser.errors import TemplateFailed
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.secrets.files import text_of
from castoff.releaser.sources import ArchiveSources

# Kinds of runs that go to a version which may be older than what castoff.toml says now.
_TOLERANT = ("rollback", "converge")


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One file for one host; its text may hold secrets.

    Attributes:
        file: What castoff.toml says of it.
        text: Its content.
        shown: The same without secrets; None if that cannot be made.
    """

    file: HostFile
    text: str
    shown: str | None

    def __repr__(self) -> str:
        """Return what it is, without what it says: failed comparisons print this."""
        return f"RenderedFile({self.file.path})"

    @property
    def path(self) -> str:
        """Where it belongs."""
        return self.file.path

    @property
    def sha256(self) -> str:
        """The digest of its content."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def request(self) -> dict[str, Any]:
        """Return it as agents take it."""
        return {
            "path": self.path,
            "text": self.text,
            "shown": self.shown,
            "mode": mode_of(self.file),
            "owner": self.file.owner,
            "group": self.file.group,
            "check": check_of(self.file),
        }


@dataclass(frozen=True, slots=True)
class Configuration:
    """What was rendered.

    Attributes:
        files: By the host's name.
        notes: What people should know of it.
    """

    files: dict[str, tuple[RenderedFile, ...]]
    notes: tuple[str, ...] = ()

    def of(self, host: ResolvedHost) -> tuple[RenderedFile, ...]:
        """Return a host's files."""
        return self.files.get(host.name, ())

    def inside(self, host: ResolvedHost) -> list[str]:
        """Return the paths of those in the release."""
        return [file.path for file in self.of(host) if not file.file.outside]


def render_all(
    job: Job, fleet: Fleet, sources: ArchiveSources, hosts: Sequence[ResolvedHost]
) -> Configuration:
    """Render the files of hosts that have been reached.

    Args:
        job: The release, with its secrets.
        fleet: Knows what each host says of itself.
        sources: Have the release's archive.
        hosts: Whose files.

    Raises:
        TemplateFailed: A template is wrong, or not in the release.
        StoreError, CorruptArtifact: Templates cannot be read.
    """
    wanted = {host.name: files_on(job.scope, host) for host in hosts}
    if not any(wanted.values()):
        return Configuration({})
    # Here, so that no release without such files loads a template engine.
    from castoff.releaser.configuration.render import Renderer

    templates = Templates(job.scope.store, job.manifest, sources.local_copy)
    named = {
        file.template for files in wanted.values() for file in files if isinstance(file, ConfigFile)
    }
    absent = sorted(template for template in named if templates.read(template) is None)
    if absent and job.kind not in _TOLERANT:
        raise TemplateFailed(
            f"{job.version} has no {absent[0]} in its app/, which "
            f"[[environments.{job.environment_name}.config]] names",
            hint="Templates come from the release: is it tracked by git, and among what the build "
            "takes in (`include`, `exclude`)?",
        )
    renderer = Renderer(templates.read)
    everyone = resolve_hosts(job.app, job.environment, job.scope.base or Path.cwd())
    files = {
        host.name: tuple(
            _render(job, fleet, renderer, everyone, host, file)
            for file in wanted[host.name]
            if isinstance(file, SecretFile) or file.template not in absent
        )
        for host in hosts
    }
    notes = tuple(f"{job.version} has no {path}: what it is for is left out" for path in absent)
    return Configuration(files, notes)


def _render(
    job: Job,
    fleet: Fleet,
    renderer: Any,
    everyone: Sequence[ResolvedHost],
    host: ResolvedHost,
    file: HostFile,
) -> RenderedFile:
    facts = fleet.opened[host.name].facts
    secrets = job.secrets.only(file.secrets)
    if isinstance(file, SecretFile):
        return RenderedFile(file, text_of(file, secrets), None)
    text: str = renderer.render(file.template, variables(job, host, everyone, facts, secrets))
    if not secrets:
        return RenderedFile(file, text, job.secrets.redact(text))
    hidden = {name: f"<secret {name}>" for name in secrets}
    try:
        shown = renderer.render(file.template, variables(job, host, everyone, facts, hidden))
    except TemplateFailed:
        # It does something with the value that cannot be done with this.
        return RenderedFile(file, text, None)
    return RenderedFile(file, text, job.secrets.redact(shown))
