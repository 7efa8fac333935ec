"""Where secrets are found, as castoff.toml says it, and what is told of what it says wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load
from castoff.config.model import Environment

HEAD = '[apps.a]\n[environments.e]\nhosts = [{ name = "h" }]\n'
STEP = '[[environments.e.steps]]\nname = "s"\nmoment = "activate"\ncommand = "true"\n'


def read(tmp_path: Path, text: str, environment: str = "e") -> Environment:
    (tmp_path / "castoff.toml").write_text(HEAD + text)
    return load(tmp_path / "castoff.toml").config.environments[environment]


def complaint(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    return "\n".join(str(problem).partition(": ")[2] for problem in caught.value.problems)


def test_each_source_is_taken(tmp_path: Path) -> None:
    env = read(
        tmp_path,
        """
[environments.e.secrets]
A = { env = "A" }
B = { file = "b", timeout = 5 }
C = { command = "pass c" }
D = { ssm = "/d", region = "eu-west-1", profile = "p" }
E = { secretsmanager = "e", field = "url" }
F = { age = "f.age", identity = "~/key" }
_g1 = { sops = "g.yaml", key = "a.b" }
"""
        + STEP
        + 'secrets = ["A", "_g1"]\n',
    )
    assert [secret.source for secret in env.secrets.values()] == [
        "env",
        "file",
        "command",
        "ssm",
        "secretsmanager",
        "age",
        "sops",
    ]
    assert env.steps[0].secrets == ("A", "_g1")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('{ env = "A", file = "b" }', "needs one of 'env', 'file'"),
        ("{ timeout = 3 }", "needs one of 'env', 'file'"),
        ('{ age = "a" }', "'age' needs 'identity'"),
        ('{ sops = "a" }', "'sops' needs 'key'"),
        ('{ file = "a", field = "x" }', "'field' goes with 'secretsmanager', not with 'file'"),
        ('{ env = "a", region = "x" }', "'region' goes with 'ssm' or 'secretsmanager'"),
        ('{ flie = "a" }', "did you mean 'file'?"),
    ],
)
def test_a_secret_is_in_one_place_and_wholly_described(
    tmp_path: Path, table: str, said: str
) -> None:
    assert said in complaint(tmp_path, f"[environments.e.secrets]\nA = {table}\n")


@pytest.mark.parametrize("name", ["1A", "A-B", '"A B"', "CASTOFF_ROOT"])
def test_a_secret_is_named_as_a_variable_of_its_own(tmp_path: Path, name: str) -> None:
    said = complaint(tmp_path, f'[environments.e.secrets]\n{name} = {{ env = "A" }}\n')
    assert "letters, digits and '_'" in said or "must not start with 'CASTOFF_'" in said


def test_a_step_knows_only_secrets_that_there_are(tmp_path: Path) -> None:
    text = '[environments.e.secrets]\nTOKEN = { env = "A" }\n' + STEP + 'secrets = ["TOKNE"]\n'
    assert complaint(tmp_path, text) == (
        "[[environments.e.steps]] step 's' wants the secret 'TOKNE', which is not under "
        "[environments.NAME.secrets]; did you mean 'TOKEN'?"
    )


@pytest.mark.parametrize("value", ['"hunter2"', '{ env = ["hunter2"] }', '["hunter2"]'])
def test_a_value_that_stands_there_by_mistake_is_not_repeated(tmp_path: Path, value: str) -> None:
    said = complaint(tmp_path, f"[environments.e.secrets]\nTOKEN = {value}\n")
    assert "TOKEN" in said
    assert "hunter2" not in said


def test_secrets_are_inherited_one_by_one(tmp_path: Path) -> None:
    env = read(
        tmp_path,
        """
[environments.e.secrets]
A = { env = "A" }
B = { env = "B" }
[environments.f]
inherits = "e"
[environments.f.secrets]
B = { file = "b" }
""",
        "f",
    )
    assert {name: secret.source for name, secret in env.secrets.items()} == {
        "A": "env",
        "B": "file",
    }


FILES = '[environments.e.secrets]\nTOKEN = { env = "A" }\n[[environments.e.secret_files]]\n'


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('path = ".env"\nsecrets = ["TOKNE"]', "wants the secret 'TOKNE'"),
        ('path = ".env"\nsecrets = []', "must not be empty"),
        ('path = ".env"\nsecrets = ["TOKEN"]\nmode = "0644"', "must end in 0"),
        ('path = ".env"\nsecrets = ["TOKEN"]\nroles = ["web"]', "role 'web', which no host has"),
        ('path = ".env"\nsecrets = ["TOKEN"]\napps = ["b"]', "app 'b', which is not under"),
        ('path = "../.env"\nsecrets = ["TOKEN"]', "path"),
        ('path = "{hots}/.env"\nsecrets = ["TOKEN"]', "did you mean {host}?"),
    ],
)
def test_a_file_of_secrets_is_private_and_holds_secrets_that_there_are(
    tmp_path: Path, lines: str, said: str
) -> None:
    assert said in complaint(tmp_path, FILES + lines + "\n")
    assert read(tmp_path, FILES + 'path = ".env"\nsecrets = ["TOKEN"]\n').secret_files[0].mode == (
        "0600"
    )
