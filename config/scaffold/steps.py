"""The steps that a release of each kind of project needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from castoff.config.model import Moment
from castoff.config.scaffold.detect import Project

# The shell reads the host's secrets before a command that needs them.
_SECRETS = 'set -a && . "$CASTOFF_SHARED/env" && set +a && '
_BACKUPS = 'mkdir -p "$CASTOFF_SHARED/backups" && '
_SERVED_AT = "http://127.0.0.1:8000/"
WEB = frozenset({"django", "wsgi", "asgi", "static"})


@dataclass(frozen=True, slots=True)
class StepExample:
    """One step of the file to write.

    Attributes:
        name: Its name.
        moment: When it runs.
        comment: What it does and what it relies on, one sentence or more.
        command: What it runs, or None where it makes a request.
        url: What it asks for, or None where it runs a command.
        role: The role whose hosts run it, or None for all.
        live: Whether it is in force, or stands in the file as a comment.
    """

    name: str
    moment: Moment
    comment: str
    command: str | None = None
    url: str | None = None
    role: str | None = None
    live: bool = True


def steps_for(project: Project) -> tuple[StepExample, ...]:
    """Return the steps of a release, in the order of their moments."""
    return (
        _check(project),
        _backup(project),
        _migrate(project),
        *_restarts(project),
        *_health(project),
    )


def needs_secrets(project: Project) -> bool:
    """Whether the steps read `shared/env` on the hosts."""
    return project.database in ("postgresql", "mysql")


def start_command(project: Project) -> str:
    """Return the command that a service unit on the hosts starts; below the release's folder."""
    entry = project.entry
    target = f"{entry.module}:{entry.name}" if entry else "MODULE:OBJECT"
    if project.kind in ("django", "wsgi"):
        return f"bin/gunicorn '{target}()'" if entry and entry.factory else f"bin/gunicorn {target}"
    if project.kind == "asgi":
        return f"bin/uvicorn {'--factory ' if entry and entry.factory else ''}{target}"
    return f"bin/{project.declared.scripts[0]}" if project.declared.scripts else "bin/COMMAND"


def main_role(project: Project) -> str:
    """Return the role of the hosts that serve the project."""
    return "web" if project.kind in WEB else "app"


def _check(project: Project) -> StepExample:
    comment = "Proves on every host that the new code loads, before anything that serves changes."
    if project.kind == "django":
        return StepExample(
            "check", "prepare", comment, _with_secrets(project, _django("check", project))
        )
    module = project.entry.module if project.entry else None
    command = f"bin/python -c 'import {module or 'MODULE'}'"
    command = _with_secrets(project, command)
    return StepExample("check", "prepare", comment, command, live=module is not None)


def _backup(project: Project) -> StepExample:
    comment = (
        "Saves the database while it still has its old shape. With a table `backup` instead of a"
        " command, `castoff backups` lists it and `castoff restore` brings it back."
    )
    name = '"$CASTOFF_SHARED/backups/before-$CASTOFF_VERSION'
    role = main_role(project)
    if project.database == "mysql":
        dump = f'mysqldump --single-transaction --result-file={name}.sql" "$DATABASE_NAME"'
    elif project.database == "sqlite":
        script = "import sqlite3, sys; a, b = map(sqlite3.connect, sys.argv[1:]); a.backup(b)"
        dump = f'bin/python -c "{script}" app/{project.database_file} {name}.sqlite3"'
    else:
        # A URL would show its password in the host's list of processes.
        comment += " pg_dump takes PGHOST, PGDATABASE, PGUSER and PGPASSWORD from the environment."
        dump = f'pg_dump --format=custom --file={name}.dump"'
    command = _with_secrets(project, _BACKUPS + dump)
    live = project.database is not None
    return StepExample("backup", "backup", comment, command, role=role, live=live)


def _migrate(project: Project) -> StepExample:
    comment = (
        "Runs once, with the new code, while the old code still serves: only change what both"
        " can live with."
    )
    role = main_role(project)
    live = True
    if project.kind == "django":
        command = _django("migrate --noinput", project)
    elif project.alembic == "flask":
        entry = project.entry
        command = f"bin/flask --app {entry.module if entry else 'MODULE'} db"
        command = f"{command} upgrade --directory app/migrations"
    else:
        command = "bin/alembic -c app/alembic.ini upgrade head"
        live = bool(project.alembic)
    return StepExample(
        "migrate", "once", comment, _with_secrets(project, command), role=role, live=live
    )


def _restarts(project: Project) -> Iterator[StepExample]:
    role = main_role(project)
    if project.kind == "static":
        comment = "Only where the web server caches open files; its root is in current/."
        command = "sudo -n systemctl reload nginx"
        yield StepExample("reload", "activate", comment, command, role=role, live=False)
        return
    comment = f"The unit starts /srv/{project.name}/current/{start_command(project)}."
    command = f"sudo -n systemctl restart {project.name}"
    live = project.kind != "files"
    yield StepExample("restart", "activate", comment, command, role=role, live=live)
    if project.worker:
        comment = "The workers of the queue, under a unit of their own."
        command = f"sudo -n systemctl restart {project.name}-worker"
        yield StepExample("restart-workers", "activate", comment, command, role="worker")


def _health(project: Project) -> Iterator[StepExample]:
    comment = "Asked on the host itself; a host that does not answer so takes the release back."
    role = main_role(project)
    if project.kind == "django":
        comment = f"{comment} ALLOWED_HOSTS must have 127.0.0.1."
    if project.kind in WEB:
        url = "http://127.0.0.1/" if project.kind == "static" else _SERVED_AT
        yield StepExample("health", "after_activate", comment, url=url, role=role)
        return
    running = "A host whose service does not stay up takes the release back."
    command = f"sleep 2 && systemctl is-active --quiet {project.name}"
    live = project.kind == "package"
    yield StepExample("health", "after_activate", running, command, role=role, live=live)
    yield StepExample("answer", "after_activate", comment, url=_SERVED_AT, role=role, live=False)


def _django(arguments: str, project: Project) -> str:
    program = f"bin/python app/{project.manage}" if project.manage else "bin/django-admin"
    return f"{program} {arguments}"


def _with_secrets(project: Project, command: str) -> str:
    return _SECRETS + command if needs_secrets(project) else command
