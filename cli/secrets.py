"""`castoff secrets`: what secrets there are, where each is found, and whether it can be."""

from __future__ import annotations

from typing import Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption, EnvironmentOption, JsonOption


def secrets(
    check: Annotated[
        bool, typer.Option("--check", help="Look each of them up, and say whether that works.")
    ] = False,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List an environment's secrets by name, where each is found and what uses it.

    No value is ever shown. With --check the exit code is 22 if one cannot be had.
    """
    from castoff.cli.project import open_project
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.tables import print_table
    from castoff.cli.scope import open_scope
    from castoff.releaser.secrets.errors import NotFound, SecretsMissing
    from castoff.releaser.secrets.find import described, try_all
    from castoff.releaser.secrets.used import users

    project = open_project(config, app)
    scope = open_scope(project, environment, writes=False)
    there = scope.environment.secrets
    found = try_all(there, project.loaded.base) if check else {}
    failures = {name: one for name, one in found.items() if isinstance(one, NotFound)}
    used = users(scope)
    if as_json:
        print_json(
            [
                {
                    "name": name,
                    "source": secret.source,
                    "where": described(secret),
                    "used_by": used[name],
                    "ok": name not in failures if check else None,
                    "why": failures[name].why if name in failures else None,
                }
                for name, secret in there.items()
            ]
        )
    elif not there:
        typer.echo(f"{scope.environment_name} has no secrets: [environments.NAME.secrets]")
    else:
        rows = [(name, described(one), ", ".join(used[name]) or "-") for name, one in there.items()]
        state = {name: "cannot be had" if name in failures else "ok" for name in found}
        header = ("name", "where", "used by", *(("",) if check else ()))
        print_table(header, [(*row, state[row[0]]) if check else row for row in rows])
    if failures:
        raise SecretsMissing(
            scope.environment_name,
            [(name, described(there[name]), why) for name, why in failures.items()],
        )
