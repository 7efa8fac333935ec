"""What is left to do by hand after a first castoff.toml was written."""

from __future__ import annotations

from collections.abc import Iterator

from castoff.config.scaffold.detect import Project
from castoff.config.scaffold.steps import WEB, main_role, secrets_of, start_command

_SERVERS = {"django": "gunicorn", "wsgi": "gunicorn", "asgi": "uvicorn"}


def notes_for(project: Project) -> tuple[str, ...]:
    """Return the next steps, in the order in which they are best taken."""
    return (
        *_lock(project),
        *_source(project),
        *_server(project),
        *_hosts(project),
        (
            "Commit castoff.toml. Then, to staging, which is the default: castoff build, castoff "
            "push VERSION, castoff preflight VERSION, castoff release VERSION."
        ),
        "To production, the same version: castoff release VERSION --env production.",
    )


def _lock(project: Project) -> Iterator[str]:
    declared = project.declared
    if declared.lock is None and declared.pyproject:
        yield "Make a lock file and commit it: castoff lock (or uv lock)"
    elif declared.lock is None and declared.dependencies:
        yield "Make a lock file with hashes and commit it: castoff lock reads requirements.in"
    elif not declared.hashed:
        yield (
            "requirements.txt has no hashes, and a build demands them. Move what it asks for to "
            "requirements.in, then: castoff lock"
        )


def _source(project: Project) -> Iterator[str]:
    if project.kind == "package" and project.declared.scripts and not project.declared.wheel:
        yield (
            "Add [build-system] to pyproject.toml: without it no wheel is built, and releases have "
            f"no bin/{project.declared.scripts[0]}."
        )
    if project.kind == "static":
        yield "A release holds what git tracks: commit the pages, or what they are made of."
    if project.kind == "files":
        yield "No kind of project was recognised here: look through the steps, they are comments."


def _server(project: Project) -> Iterator[str]:
    if project.kind == "static":
        site = "" if project.site in ("", ".") else f"/{project.site}"
        yield f"Point the web server's root at /srv/{project.name}/current/app{site}."
        return
    if project.kind == "files":
        return
    server = _SERVERS.get(project.kind)
    if server and server not in project.declared.dependencies:
        yield f"Add {server} to the dependencies: a release brings its own server, bin/{server}."
    yield (
        f"On each host, a service '{project.name}' starts "
        f"/srv/{project.name}/current/{start_command(project)}."
    )
    if secrets_of(project):
        yield f"Its unit has the line EnvironmentFile=/srv/{project.name}/current/app/.env."


def _hosts(project: Project) -> Iterator[str]:
    for secret in secrets_of(project):
        yield (
            f"Where you release, set STAGING_{secret} and PRODUCTION_{secret}, or say in "
            "castoff.toml where else it is found; name what other secrets the app reads there too."
        )
    if project.database == "sqlite":
        yield (
            f"Put the database, or an empty file, to /srv/{project.name}/shared/app/"
            f"{project.database_file} on the host that serves it."
        )
    if project.database is not None or project.kind in WEB:
        role = main_role(project)
        yield f"Put your own hosts in castoff.toml; the first '{role}' host runs once-only steps."
    else:
        yield "Put your own hosts in castoff.toml."
