"""The steps that a release of each kind of project needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from castoff.config.model import Moment
from castoff.config.scaffold.detect import Project

_SERVED_AT = "http://127.0.0.1:8000"
_DATABASE = "DATABASE_URL"
_SECONDS_TO_START = 60
WEB = frozenset({"django", "wsgi", "asgi", "static"})


@dataclass(frozen=True, slots=True)
class StepExample:
    """One step of the file to write.

    Attributes:
        name: Its name.
        moment: When it runs.
        comment: What it does and what it relies on, one sentence or more.
        command: What it runs, or None where it does something else.
        built_in: The key of its built-in, or None.
        options: The built-in's table.
        url: What it asks for, or None where it does something else.
        versioned: Whether that answers with its version.
        user: Who does it on the hosts, or None for who releases.
        secrets: Names of secrets that it has as variables.
        role: The role whose hosts run it, or None for all.
        timeout: Seconds that it may take, or None for as long as any step.
        live: Whether it is in force, or stands in the file as a comment.
    """

    name: str
    moment: Moment
    comment: str
    command: str | None = None
    built_in: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    url: str | None = None
    versioned: bool = False
    user: str | None = None
    secrets: tuple[str, ...] = ()
    role: str | None = None
    timeout: int | None = None
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


def secrets_of(project: Project) -> tuple[str, ...]:
    """Return the names of the secrets that the app and its steps need."""
    return (_DATABASE,) if project.database in ("postgresql", "mysql") else ()


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


def restarts_units(project: Project) -> bool:
    """Whether a step restarts units of systemd."""
    return project.kind not in ("static", "files")


def unit_table(project: Project) -> dict[str, object]:
    """Return the entry of `provision.units` for the unit that the step `restart` restarts."""
    table: dict[str, object] = {"name": project.name, "command": start_command(project)}
    if secrets_of(project):
        table["env_file"] = "{root}/current/app/.env"
    return {**table, "roles": [main_role(project)]}


def _check(project: Project) -> StepExample:
    comment = "Proves on every host that the new code loads, before anything that serves changes."
    if project.kind == "django":
        command = _django("check", project)
        return StepExample("check", "prepare", comment, command, secrets=secrets_of(project))
    module = project.entry.module if project.entry else None
    command = f"bin/python -c 'import {module or 'MODULE'}'"
    return StepExample(
        "check",
        "prepare",
        comment,
        command,
        secrets=secrets_of(project),
        live=module is not None,
    )


def _backup(project: Project) -> StepExample:
    comment = (
        "Saves the database while it still has its old shape, on the first host that has the role;"
        " `castoff backups` lists what there is, `castoff restore` brings it back."
    )
    if project.database == "sqlite":
        options = {"kind": "sqlite", "database": f"app/{project.database_file}"}
    else:
        options = {"kind": project.database or "postgresql", "url": _DATABASE}
    return StepExample(
        "backup",
        "backup",
        comment,
        built_in="backup",
        options=options,
        role=main_role(project),
        secrets=secrets_of(project) or (() if project.database == "sqlite" else (_DATABASE,)),
        live=project.database is not None,
    )


def _migrate(project: Project) -> StepExample:
    comment = (
        "Runs once, with the new code, while the old code still serves: only change what both"
        " can live with."
    )
    live = project.kind == "django" or bool(project.alembic)
    if project.kind == "django":
        options = _django_migrations(project)
    elif project.alembic == "flask":
        comment += " Flask-Migrate's migrations find their database by way of the app."
        options = _flask_migrations(project)
    else:
        options = {"preset": "alembic"}
    return StepExample(
        "migrate",
        "once",
        comment,
        built_in="migrate",
        options=options,
        role=main_role(project),
        secrets=secrets_of(project),
        live=live,
    )


def _django_migrations(project: Project) -> dict[str, object]:
    options: dict[str, object] = {"preset": "django"}
    if project.manage and project.manage != "manage.py":
        options["manage"] = f"app/{project.manage}"
    if not project.manage:
        # Nobody else says it: a manage.py does by itself.
        options["settings"] = project.settings or "SETTINGS"
    return options


def _flask_migrations(project: Project) -> dict[str, object]:
    entry = project.entry
    return {"preset": "flask-migrate", "app": entry.module if entry else "MODULE"}


def _restarts(project: Project) -> Iterator[StepExample]:
    role = main_role(project)
    if project.kind == "static":
        comment = "Only where the web server caches open files; its root is in current/."
        command = "sudo -n systemctl reload nginx"
        yield StepExample("reload", "activate", comment, command, role=role, live=False)
        return
    comment = (
        f"The unit starts /srv/{project.name}/current/{start_command(project)}. Done once what"
        " runs is the new release; else the release goes back. sudo has to let the user who"
        " releases restart it, as a table `provision` with sudo.restart sees to; or let it be a"
        " unit of that user's own, with user_manager."
    )
    unit = {"systemd": {"unit": project.name}}
    live = restarts_units(project)
    yield _restart("restart", comment, unit, role, live=live)
    if project.worker:
        comment = "The workers of the queue, under a unit of their own."
        unit = {"systemd": {"unit": f"{project.name}-worker"}}
        yield _restart("restart-workers", comment, unit, "worker", live=True)


def _restart(
    name: str, comment: str, options: Mapping[str, object], role: str, *, live: bool
) -> StepExample:
    return StepExample(
        name,
        "activate",
        comment,
        built_in="restart",
        options=options,
        user="root",
        role=role,
        live=live,
    )


def _health(project: Project) -> Iterator[StepExample]:
    comment = (
        "Asked on the host itself until it answers so; if it does not within `timeout`, which is"
        " how long a version that is ill stays live, the release goes back."
    )
    if project.kind == "django":
        comment += " ALLOWED_HOSTS must have 127.0.0.1."
    if project.kind != "static" and not project.versioned:
        comment += (
            " Let the app send its version as a header, and ask for that too (headers, below): it"
            " stands in castoff.json at the top of the release."
        )
    url = "http://127.0.0.1/" if project.kind == "static" else f"{_SERVED_AT}{project.health}"
    yield StepExample(
        "health",
        "after_activate",
        comment,
        url=url,
        versioned=project.versioned,
        role=main_role(project),
        timeout=_SECONDS_TO_START,
        live=project.kind in WEB,
    )


def _django(arguments: str, project: Project) -> str:
    if project.manage:
        return f"bin/python app/{project.manage} {arguments}"
    return f"DJANGO_SETTINGS_MODULE={project.settings or 'SETTINGS'} bin/django-admin {arguments}"
