"""The text of a first castoff.toml, commented, from templates and what was found."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from importlib.resources import files

from castoff.config.scaffold.detect import Project
from castoff.config.scaffold.steps import (
    StepExample,
    main_role,
    restarts_units,
    secrets_of,
    steps_for,
    unit_table,
)

_WIDTH = 98
_SLOT = re.compile(r"<<(\w+)>>")


def render(project: Project) -> str:
    """Return a castoff.toml that fits the project.

    The first environment carries all comments; the second is like it but for its hosts and secrets.
    """
    roles = [main_role(project)]
    worker = ["worker"] if project.worker else []
    small = {"staging1": [*roles, *worker]}
    large = {"web1": roles, "web2": roles} if roles == ["web"] else {"app1": roles, "app2": roles}
    if worker:
        large["worker1"] = worker
    return "\n".join(
        (_app(project), _environment(project, "staging", small), _production(project, large))
    )


def _app(project: Project) -> str:
    declared = project.declared
    shared = [f"app/{name}/" for name in project.media]
    shared += [f"app/{project.database_file}"] if project.database_file else []
    exclude = [f"{name}/**" for name in project.media]
    exclude += [project.database_file] if project.database_file else []
    wheel = not (project.kind == "django" and declared.wheel)
    script = declared.scripts[0] if len(declared.scripts) > 1 else None
    return _fill(
        "app.toml",
        {
            "app": project.name,
            "shared": f"shared = {_value(shared)}" if shared else '#shared = ["app/media/"]',
            "lock": _line("lock", declared.lock, "requirements.lock"),
            # manage.py and templates are plain files, which a wheel would leave behind.
            "wheel": "#wheel = true" if wheel else "wheel = false",
            "include": _line("include", _include(project), ["**"]),
            "exclude": f"exclude = {_value(exclude)}" if exclude else '#exclude = ["tests/**"]',
            "entry_point": _line("entry_point", script, project.name),
            "example_digest": "0" * 64,
        },
    )


def _include(project: Project) -> list[str]:
    """Return the globs to set, or none where what Castoff takes by itself is right."""
    if project.kind == "static":
        return [f"{project.site}/**"] if project.site not in ("", ".") else []
    if project.declared.wheel and project.migrations:
        # The wheel holds the package alone, and migrations are read from files beside it.
        return list(project.migrations)
    return []


def _environment(project: Project, name: str, hosts: Mapping[str, list[str]]) -> str:
    wanted = secrets_of(project)
    slots = {
        "environment": name,
        "off": "" if wanted else "#",
        "variable": f"{name.upper()}_DATABASE_URL",
        "app": project.name,
        "provision": "".join(f"{line}\n" for line in _provision(project, name)),
    }
    parts = [_fill("environment.toml", slots)]
    for host, roles in hosts.items():
        slots = {
            "environment": name,
            "host": host,
            "address": f"{host}.example.com",
            "roles": _value(roles),
        }
        text = _fill("host.toml", slots)
        parts.append(text if len(parts) == 1 else _without_comments(text))
    for number, step in enumerate(steps_for(project)):
        parts.append("\n".join(_step(step, project, name, first=number == 0)) + "\n")
    return "\n".join(parts)


def _production(project: Project, hosts: Mapping[str, list[str]]) -> str:
    lines = [
        "# Like staging but for what stands here: user, folder, steps and all else are taken over.",
        "# A step of the same name takes the other's place; without_steps leaves some out.",
        "[environments.production]",
        'inherits = "staging"',
        "",
    ]
    wanted = secrets_of(project)
    if wanted:
        lines.append("[environments.production.secrets]")
        lines += [f'{secret} = {{ env = "PRODUCTION_{secret}" }}' for secret in wanted]
        lines.append("")
    for host, roles in hosts.items():
        lines += [
            "[[environments.production.hosts]]",
            f"name = {_value(host)}",
            f"address = {_value(f'{host}.example.com')}",
            f"roles = {_value(roles)}",
            "",
        ]
    return "\n".join(lines)


def _provision(project: Project, environment: str) -> Iterator[str]:
    """Yield a table that makes the units which the steps restart, as comments."""
    if not restarts_units(project):
        return
    units = [unit_table(project)]
    if project.worker:
        name = f"{project.name}-worker"
        units.append({"name": name, "command": "bin/WORKER", "roles": ["worker"]})
    yield "# These are the units that the steps below restart, run by the user who releases, and"
    yield "# the rights that this takes. user = {} gives the app a user of its own; then let sudo"
    yield "# have become = true as well."
    yield f"#[environments.{environment}.provision]"
    yield f"#units = {_value(units)}"
    yield "#sudo = { restart = true }"


def _step(step: StepExample, project: Project, environment: str, *, first: bool) -> Iterator[str]:
    off = "" if step.live else "#"
    yield from (f"# {line}" for line in textwrap.wrap(step.comment, _WIDTH))
    yield f"{off}[[environments.{environment}.steps]]"
    yield f"{off}name = {_value(step.name)}"
    if first:
        yield "# prepare: on each host, before the barrier; backup and once: on the first host that"
        yield "# has the role; activate: after a host's flip; after_activate: after those."
    yield f"{off}moment = {_value(step.moment)}"
    yield from _doing(step, off)
    if first and step.role is None:
        yield "# Hosts with any of these roles; else all."
        yield f"#roles = [{_value(main_role(project))}]"
    elif step.role is not None:
        yield f"{off}roles = [{_value(step.role)}]"
    if step.secrets:
        yield f"{off}secrets = {_value(list(step.secrets))}"
    if first:
        yield "# Globs of names of hosts that it is for; else all."
        yield '#hosts = ["web*"]'
        yield "# Whether it runs on the first of those hosts alone."
        yield "#once = false"
        yield "# Apps that it belongs to; else all."
        yield f"#apps = [{_value(project.name)}]"
        yield "# Whether a command runs on the host, or for the host on the machine that releases."
        yield '#run_on = "host"'
        yield "# User that a command becomes on the host."
        yield '#user = "postgres"'
        yield "# Whether the run fails when it does, or goes on with a warning (warn)."
        yield '#on_failure = "fail"'
        yield "# Seconds."
        yield "#timeout = 300"
        yield "# How often it is tried again when it fails, and the first pause, which doubles."
        yield "#retries = 2"
        yield "#retry_wait = 1"
        yield '#env = { LOG_LEVEL = "debug" }'
    if step.url is not None:
        yield from _request(step.url, environment, off, versioned=step.versioned)


def _doing(step: StepExample, off: str) -> Iterator[str]:
    """Yield what it does, who does it, and how long that may take."""
    if step.command is not None:
        yield f"{off}command = {_value(step.command)}"
    if step.built_in is not None:
        yield f"{off}{step.built_in} = {_value(step.options)}"
    if step.user is not None:
        yield f"{off}user = {_value(step.user)}"
    if step.timeout is not None:
        yield f"{off}timeout = {step.timeout}"


def _request(url: str, environment: str, off: str, *, versioned: bool) -> Iterator[str]:
    yield f"{off}[environments.{environment}.steps.http]"
    yield f"{off}url = {_value(url)}"
    yield '#method = "HEAD"'
    yield '#request_headers = { Host = "www.example.com" }'
    yield "# Where to connect to, whatever host the URL names; or a socket, with unix."
    yield "# For https, whose certificates count, with ca; or any, with verify."
    yield '#connect = "127.0.0.1:8000"'
    yield "#status = 200"
    yield "# Text that the body must hold; {version} stands for the version being released."
    yield '#contains = "{version}"'
    yield "# Headers of the answer, and fields of its JSON."
    yield f'{off if versioned else "#"}headers = {{ X-Version = "{{version}}" }}'
    yield '#json_fields = { "app.version" = "{version}" }'
    yield "# Successes in a row that count, and the pause between two tries in seconds."
    yield "#successes = 1"
    yield "#interval = 0.5"


def _fill(template: str, slots: Mapping[str, str]) -> str:
    text = files("castoff.config.scaffold").joinpath(f"templates/{template}").read_text("utf-8")
    return _SLOT.sub(lambda slot: slots[slot[1]], text)


def _without_comments(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _line(key: str, value: object, example: object) -> str:
    """Return a key with its value, or as a comment with an example."""
    return f"{key} = {_value(value)}" if value else f"#{key} = {_value(example)}"


def _value(value: object) -> str:
    """Return a value as TOML, text in the kind of quotes that needs no escapes."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_value(one)}' for key, one in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    text = str(value)
    if '"' in text and not re.search(r"['\x00-\x1f\x7f]", text):
        return f"'{text}'"
    # TOML's basic strings take all of JSON's escapes, but want DEL escaped too.
    return json.dumps(text).replace("\x7f", "\\u007f")
