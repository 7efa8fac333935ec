"""What templates know: the release, the host, the other hosts, and secrets by name; no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from castoff.config.hosts import ResolvedHost
from castoff.releaser.job import Job
from castoff.releaser.replies import Facts


class SecretValues(dict[str, str]):
    """The secrets that one file may use, by name."""


def variables(
    job: Job,
    host: ResolvedHost,
    everyone: Sequence[ResolvedHost],
    facts: Facts,
    secrets: Mapping[str, str],
) -> dict[str, Any]:
    """Return the names that a template may use; docs/how-to/configuration-files.md lists them.

    Args:
        job: The release.
        host: Whose file it is.
        everyone: All hosts of the environment, those that do not take part among them.
        facts: What the host says of itself.
        secrets: The values that the file may hold.
    """
    hosts = [_host(one) for one in everyone]
    roles = dict.fromkeys(role for one in everyone for role in one.roles)
    root = facts.root or host.root
    return {
        "app": job.app,
        "environment": job.environment_name,
        "version": job.version,
        "commit": job.manifest.source.commit,
        "host": _host(host),
        "hosts": hosts,
        "roles": {role: [one for one in hosts if role in one["roles"]] for role in roles},
        "facts": {
            "hostname": facts.hostname,
            "user": facts.user,
            "machine": facts.machine,
            "glibc": facts.glibc,
            "python": facts.python,
            "interpreter": facts.interpreter,
        },
        "root": root,
        "current": f"{root}/current",
        "release": f"{root}/releases/{job.version}",
        "shared": f"{root}/shared",
        "env": dict(host.env),
        "secrets": SecretValues(secrets),
    }


def _host(host: ResolvedHost) -> dict[str, Any]:
    return {
        "name": host.name,
        "address": host.address,
        "roles": list(host.roles),
        "env": dict(host.env),
    }
