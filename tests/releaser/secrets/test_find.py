"""Secrets from every kind of source, and what is told of those that cannot be had."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import boto3
import pytest

from castoff.config.model import Secret
from castoff.releaser.secrets.errors import NotFound, SecretsMissing
from castoff.releaser.secrets.find import described, find_all, try_all
from castoff.releaser.secrets.from_sops import place
from castoff.store.errors import ExitCode
from support.programs import SOPS, needs_age

VALUE = "hunter2-and-more"


def find(base: Path, **source: Any) -> str:
    return find_all({"S": Secret(**source)}, base, environment="production")["S"]


def why(base: Path, **source: Any) -> NotFound:
    failure = try_all({"S": Secret(**source)}, base)["S"]
    assert isinstance(failure, NotFound)
    assert VALUE not in failure.why + failure.hint
    return failure


def test_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", f" {VALUE}\n")
    assert find(tmp_path, env="MY_SECRET") == f" {VALUE}\n"
    monkeypatch.delenv("MY_SECRET")
    assert why(tmp_path, env="MY_SECRET").why == "the variable MY_SECRET is not set"


def test_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(f"{VALUE}\r\n".encode())
    (tmp_path / "key").write_text(f"-----BEGIN\n{VALUE}\n\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe" + VALUE.encode())
    assert find(tmp_path, file="one") == VALUE
    assert find(tmp_path, file="key") == f"-----BEGIN\n{VALUE}\n"
    assert find(tmp_path, file=str(tmp_path / "one")) == VALUE
    assert why(tmp_path, file="bytes").why == "it is not text in UTF-8"
    assert "No such file" in why(tmp_path, file="none").why
    assert "nobody-of-that-name" in why(tmp_path, file="~nobody-of-that-name/x").why


def test_from_a_command(tmp_path: Path) -> None:
    (tmp_path / "vault").write_text(f"{VALUE}\n")
    assert find(tmp_path, command="cat vault; echo a warning >&2") == VALUE
    failure = why(tmp_path, command="cat vault; cat vault >&2; exit 3")
    assert failure.why == "/bin/sh ended with status 3"
    assert "within 0.2 s" in why(tmp_path, command="cat vault; sleep 60", timeout=0.2).why


@needs_age
def test_from_a_file_of_age(tmp_path: Path) -> None:
    key, other = (tmp_path / name for name in ("key", "other"))
    for path in (key, other):
        subprocess.run(["age-keygen", "-o", str(path)], check=True, capture_output=True)
    recipient = subprocess.run(
        ["age-keygen", "-y", str(key)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    subprocess.run(
        ["age", "-r", recipient, "-o", str(tmp_path / "s.age")],
        input=f"{VALUE}\n".encode(),
        check=True,
    )
    assert find(tmp_path, age="s.age", identity="key") == VALUE
    assert why(tmp_path, age="s.age", identity="other").why == "age ended with status 1"
    assert "none cannot be read" in why(tmp_path, age="s.age", identity="none").why


def test_from_a_file_of_sops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.json").write_text(json.dumps({"db": {"password": VALUE}, "keys": ["k0", VALUE]}))
    (tmp_path / "age.txt").write_text("AGE-SECRET-KEY-1")
    monkeypatch.setenv("PATH", f"{SOPS.parent}:/usr/bin:/bin")
    assert find(tmp_path, sops="s.json", key="db.password", identity="age.txt") == VALUE
    assert find(tmp_path, sops="s.json", key="keys.1", identity="age.txt") == VALUE
    assert why(tmp_path, sops="s.json", key="db.none").why == "sops ended with status 1"
    assert "none cannot be read" in why(tmp_path, sops="none", key="k").why


def test_a_key_of_sops_may_hold_anything() -> None:
    assert place('a.0.b c"d') == '["a"][0]["b c\\"d"]'


def test_a_program_that_is_not_there_is_named_with_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("s", "k"):
        (tmp_path / name).touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    for source in ({"age": "s", "identity": "k"}, {"sops": "s", "key": "k"}):
        failure = why(tmp_path, **source)
        assert failure.why == f"{next(iter(source))} cannot be run: No such file or directory"
        assert "nstall" in failure.hint


def test_from_aws(
    tmp_path: Path, moto_url: str, aws_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    boto3.client("ssm").put_parameter(Name="/shop/token", Value=VALUE, Type="SecureString")
    manager = boto3.client("secretsmanager")
    manager.create_secret(Name="shop", SecretString=json.dumps({"url": VALUE, "port": 54321}))
    manager.create_secret(Name="bytes", SecretBinary=VALUE.encode())

    assert find(tmp_path, ssm="/shop/token") == VALUE
    assert find(tmp_path, ssm="/shop/token", region="us-east-1", timeout=20) == VALUE
    assert find(tmp_path, secretsmanager="shop", field="url") == VALUE
    assert find(tmp_path, secretsmanager="shop", field="port") == "54321"
    assert json.loads(find(tmp_path, secretsmanager="shop"))["url"] == VALUE
    assert why(tmp_path, secretsmanager="shop", field="none").why == "it has no field 'none'"
    assert why(tmp_path, secretsmanager="bytes").why == "it holds bytes, not text"
    assert why(tmp_path, ssm="/none").why == "AWS refuses: ParameterNotFound"
    missing = why(tmp_path, secretsmanager="none")
    assert missing.why == "AWS refuses: ResourceNotFoundException"
    assert "secretsmanager:GetSecretValue" in missing.hint
    assert "AWS cannot be asked" in why(tmp_path, ssm="/x", profile="nobody").why


def test_all_that_cannot_be_had_are_named_in_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NONE", raising=False)
    (tmp_path / "good").write_text(VALUE)
    (tmp_path / "short").write_text("abc\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "nul").write_text("abcd\0efgh")
    (tmp_path / "large").write_bytes(b"x" * 3_000_000)
    monkeypatch.setenv("BYTES", "abcd\udcff")
    wanted = {
        "A": Secret(env="NONE"),
        "B": Secret(file="good"),
        "C": Secret(file="short"),
        "D": Secret(file="empty"),
        "E": Secret(file="nul"),
        "F": Secret(command="exit 7"),
        "G": Secret(file="large"),
        "H": Secret(env="BYTES"),
    }
    with pytest.raises(SecretsMissing) as caught:
        find_all(wanted, tmp_path, environment="production")

    assert caught.value.exit_code is ExitCode.SECRETS
    assert caught.value.message.splitlines() == [
        "nothing was done: 7 secrets of production cannot be had",
        "  A (env NONE): the variable NONE is not set",
        "  C (file short): it has fewer than 4 characters",
        "  D (file empty): it is empty",
        "  E (file nul): it holds a NUL byte, which no variable can",
        "  F (command): /bin/sh ended with status 7",
        "  G (file large): it is larger than 100000 bytes",
        "  H (env BYTES): it is not text in UTF-8",
    ]


def test_all_are_looked_up_at_once(tmp_path: Path) -> None:
    meeting = 4
    # Each waits until all have begun.
    begun = f'until [ "$(wc -l < begun)" = {meeting} ]; do sleep 0.02; done'
    command = f"echo x >> begun; {begun}; echo {VALUE}"
    wanted = {f"S{n}": Secret(command=command, timeout=60) for n in range(meeting)}
    assert set(find_all(wanted, tmp_path, environment="e").values()) == {VALUE}
    assert not [one for one in threading.enumerate() if one.name.startswith("secret")]


def test_boto3_is_not_loaded_for_other_sources(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(VALUE)
    program = (
        "import sys\nfrom pathlib import Path\nfrom castoff.config.model import Secret\n"
        "from castoff.releaser.secrets.find import find_all\n"
        f"find_all({{'S': Secret(file='s')}}, Path({str(tmp_path)!r}), environment='e')\n"
        "assert 'boto3' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_where_a_secret_is_said_in_a_few_words() -> None:
    assert described(Secret(command="vault --token=abc")) == "command"
    assert described(Secret(secretsmanager="shop", field="url")) == "secretsmanager shop, url"
