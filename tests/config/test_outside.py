"""Files outside of all releases: whose they are, where several apps share hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load

HEAD = """[apps.a]
[apps.b]
[environments.e]
hosts = [{ name = "h1", roles = ["web"] }, { name = "h2", roles = ["worker"] }]
secrets = { S = { env = "S" } }
"""


def complaint(folder: Path, *files: str, head: str = HEAD) -> str:
    """Return what is told of files, each by its table's name and its keys."""
    path = folder / "castoff.toml"
    tables = [f"[[environments.e.{name}]]\n{keys}\n" for name, _, keys in map(_parted, files)]
    path.write_text(head + "".join(tables))
    try:
        load(path)
    except ConfigError as error:
        return "\n".join(map(str, error.problems))
    return ""


def _parted(file: str) -> tuple[str, str, str]:
    return file.partition("\n")


def config(path: str, *more: str) -> str:
    return "\n".join(["config", 'template = "t"', f'path = "{path}"', *more])


def held(path: str, *more: str) -> str:
    return "\n".join(["secret_files", f'path = "{path}"', 'secrets = ["S"]', *more])


@pytest.mark.parametrize(
    "files",
    [
        (config("/etc/x", 'apps = ["a"]'), config("/etc/x", 'apps = ["b"]')),
        (config("/etc/x", 'apps = ["b"]'), held("/etc/x", 'apps = ["a"]', 'hosts = ["h*"]')),
        (config("/etc/a", 'apps = ["b"]'), config("/etc/{app}")),
        (held("/etc/x", 'format = "folder"', 'apps = ["a"]'), config("/etc/x/S", 'apps = ["b"]')),
    ],
)
def test_two_keys_that_give_a_file_to_two_apps_are_both_named(
    tmp_path: Path, files: tuple[str, ...]
) -> None:
    told = complaint(tmp_path, *files)
    tables = [file.partition("\n")[0] for file in files]
    last = 1 if tables[0] == tables[1] else 0
    assert f"environments.e.{tables[1]}[{last}].path" in told
    assert f"environments.e.{tables[0]}[0].path" in told
    assert "on h1 to app" in told
    assert "put {app} into the path" in told


def test_one_key_may_give_a_file_to_two_apps_too(tmp_path: Path) -> None:
    told = complaint(tmp_path, config("/etc/x"))
    assert "environments.e.config[0].path gives /etc/x on h1 to app 'b', and it gives it to" in told
    unknown = HEAD.replace("hosts =", 'hosts_from = { command = "x" }\n#')
    assert "on a host to app 'b'" in complaint(tmp_path, config("/etc/x"), head=unknown)


@pytest.mark.parametrize(
    "files",
    [
        (config("/etc/{app}"), held("/etc/{app}.env")),
        (config("app/.env"),),
        (config("/etc/x", 'apps = ["a"]'),),
        (
            config("/etc/x", 'apps = ["a"]', 'roles = ["web"]'),
            config("/etc/x", 'apps = ["b"]', 'hosts = ["h2"]'),
        ),
    ],
)
def test_what_never_meets_is_taken(tmp_path: Path, files: tuple[str, ...]) -> None:
    assert complaint(tmp_path, *files) == ""
