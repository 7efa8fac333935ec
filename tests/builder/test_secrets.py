"""Secrets stay out of releases; what only talks about secrets may stay in."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from castoff.builder.secrets import SecretFound, check_secrets
from castoff.store.errors import ExitCode

# Put together here, so that no scanner finds them in this file.
AWS = "AKIA" + "Z7QJ3M5XKD2RWYVB"
GITHUB = "ghp_" + "x1Y2" * 9
SLACK = "xoxb-" + "123456789012-" * 2 + "aB3dE5fG7hI9jK1lM3nO5pQ7"
STRIPE = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
TOKENS = {
    "AWS Access Key": AWS,
    "GitHub Token": GITHUB,
    "Slack Token": SLACK,
    "Stripe": STRIPE,
    "GitHub": "github_pat_" + "11ABCDEFG0x1Y2z3W4v5U6" + "_" + "q7ZbK2mT9x" * 5 + "q7ZbK2mT9",
    "DigitalOcean": "dop_v1_" + "0123456789abcdef" * 4,
    "Anthropic": "sk-ant-" + "api03-" + "q7Zb-2mT9x" * 9 + "wAA",
    "Hugging Face": "hf_" + "qZbKmTxWcVnErUyLpDsHjGfAoIiXkQvAbC",
    "Google": "GOCSPX-" + "q7ZbK2mT9xWc4VnE1rUy8LpD5sHj",
}
FORMS = (
    "account.json",
    "openssh",
    "pkcs1-locked.pem",
    "pkcs1.pem",
    "pkcs8-locked.pem",
    "pkcs8.pem",
    "sec1.pem",
    "settings.py",
    "windows.pem",
)
MARKER = "-----BEGIN " + "PRIVATE KEY-----"


def write(tree: Path, files: dict[str, bytes | str]) -> None:
    for name, content in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def complaints(tree: Path, *, allow: tuple[str, ...] = ()) -> list[str]:
    """Return what is found, one line each; none if nothing is."""
    try:
        check_secrets(tree, allow=allow)
    except SecretFound as error:
        return [line.strip() for line in error.message.splitlines()[1:]]
    return []


@functools.cache
def private_keys() -> dict[str, bytes]:
    """Return keys in every form that tools write them in."""
    curve = ec.generate_private_key(ec.SECP256R1())
    small = rsa.generate_private_key(65537, 2048)
    edwards = ed25519.Ed25519PrivateKey.generate()
    lock = BestAvailableEncryption(b"pass")
    pem = Encoding.PEM
    pkcs8 = edwards.private_bytes(pem, PrivateFormat.PKCS8, NoEncryption())
    return {
        "pkcs1.pem": small.private_bytes(pem, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        "pkcs1-locked.pem": small.private_bytes(pem, PrivateFormat.TraditionalOpenSSL, lock),
        "sec1.pem": curve.private_bytes(pem, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        "pkcs8.pem": pkcs8,
        "pkcs8-locked.pem": curve.private_bytes(pem, PrivateFormat.PKCS8, lock),
        "openssh": edwards.private_bytes(pem, PrivateFormat.OpenSSH, NoEncryption()),
        "windows.pem": pkcs8.replace(b"\n", b"\r\n"),
        "account.json": b'{"private_key": "' + pkcs8.replace(b"\n", b"\\n") + b'"}',
        "settings.py": b"KEY = (\n    '" + pkcs8.replace(b"\n", b"\\n'\n    '") + b"'\n)\n",
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("folder", ["app/conf", "lib/dep"])
def test_a_private_key_in_any_form_is_found_anywhere(
    tmp_path: Path, folder: str, form: str
) -> None:
    write(tmp_path, {f"{folder}/{form}": b"# first\n" + private_keys()[form]})

    (complaint,) = complaints(tmp_path)

    name, _, rest = complaint.partition(":")
    assert name == f"{folder}/{form}"
    assert rest in ("2: a private key", "3: a private key")


BODY = "lQOYBGZ4x0YBCADb" * 4
OTHER_KEYS = {
    "pgp": f"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{BODY}\n{BODY}\n",
    "putty": (
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\n"
        f"Public-Lines: 1\n{BODY}\nPrivate-Lines: 1\n{BODY}\n"
    ),
    "age": "AGE-SECRET-KEY-1" + "Q9Z2" * 14 + "XY\n",
}


@pytest.mark.parametrize("form", OTHER_KEYS)
def test_keys_of_other_programs_are_found(tmp_path: Path, form: str) -> None:
    write(tmp_path, {"app/key": OTHER_KEYS[form], "lib/dep/key": OTHER_KEYS[form]})

    assert complaints(tmp_path) == ["app/key:1: a private key", "lib/dep/key:1: a private key"]


def test_a_key_in_a_binary_file_is_found(tmp_path: Path) -> None:
    write(tmp_path, {"app/data.bin": b"\0\1\2" + private_keys()["openssh"]})

    assert complaints(tmp_path) == ["app/data.bin:1: a private key"]


@pytest.mark.parametrize(
    "text",
    [
        f'START = b"{MARKER}"\nEND = b"-----END PRIVATE KEY-----"\n',
        f"{MARKER}<a very long string of characters>-----END PRIVATE KEY-----",
        f"if line == '{MARKER}':\n    return decode(line, some_argument, another_argument)\n",
        "-----BEGIN PUBLIC KEY-----\n" + "A" * 64 + "\n",
        "-----BEGIN CERTIFICATE-----\n" + "A" * 64 + "\n",
    ],
)
def test_text_about_keys_is_no_key(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"app/keys.py": text, "lib/dep/keys.py": text})

    assert complaints(tmp_path) == []


@pytest.mark.parametrize("what", TOKENS)
def test_a_token_is_found_in_what_is_the_projects_own(tmp_path: Path, what: str) -> None:
    text = f"# settings\nDEBUG = False\nTOKEN = '{TOKENS[what]}'\n"
    write(tmp_path, {"app/settings.py": text, "project/shop/s.py": text, "castoff.json": "{}"})

    found = complaints(tmp_path)

    assert [line.partition(": ")[0] for line in found] == [
        "app/settings.py:3",
        "project/shop/s.py:3",
    ]
    assert all(what in line for line in found)


def test_the_secret_itself_is_never_shown(tmp_path: Path) -> None:
    write(tmp_path, {"app/settings.py": f"TOKEN = '{GITHUB}'"})

    with pytest.raises(SecretFound) as caught:
        check_secrets(tmp_path, allow=())

    assert GITHUB not in caught.value.message + caught.value.hint


REFRESH = '"refresh_token": "1//0g' + "aB3d" * 8 + '"'
CLIENT = '"client_secret": "d-FL95Q19q7' + "MQmFpd7h" + '"'
NPM = "//registry.example.com/:_authToken="


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        (".npmrc", f"# a\n{NPM}0123abcd\n", 2),
        (".npmrc", "_auth = dXNlcjpwYXNz\n", 1),
        ("login.json", f"{{\n  {CLIENT},\n  {REFRESH}\n}}", 3),
        ("settings.py", "refresh_token = '1//0g" + "aB3d" * 8 + f"'\n{CLIENT}", 1),
    ],
)
def test_logins_that_programs_keep_are_found(
    tmp_path: Path, name: str, text: str, line: int
) -> None:
    write(tmp_path, {f"app/{name}": text, f"lib/dep/{name}": text})

    (complaint,) = complaints(tmp_path)

    assert complaint.startswith(f"app/{name}:{line}: ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".npmrc", f"{NPM}${{NPM_TOKEN}}\n; _password=x\nsave-exact=true\n"),
        ("login.json", f"{{{REFRESH}}}"),
        ("login.json", f"{{{CLIENT}}}"),
        ("words.py", "hf_" + "some_name_of_a_function_with_words_in"),
        ("words.py", "undo_v1_" + "0123456789abcdef" * 4 + " github_pat_short GOCSPX-…"),
        ("oauth.py", "post(refresh_token=refresh_token_of_user, client_secret=settings.SECRET)"),
        (
            "readme.md",
            '"refresh_token": "YOUR_REFRESH_TOKEN", "client_secret": "YOUR_CLIENT_SECRET"',
        ),
    ],
)
def test_what_only_names_logins_is_taken(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, {f"app/{name}": text})

    assert complaints(tmp_path) == []


def test_a_token_far_into_a_large_text_is_found_at_its_line(tmp_path: Path) -> None:
    lines = 17 * 1024 * 1024 // 1024
    write(tmp_path, {"app/data.csv": (" " * 1023 + "\n") * lines + f"token,{GITHUB}\n"})

    assert complaints(tmp_path) == [f"app/data.csv:{lines + 1}: GitHub Token"]


def test_example_tokens_in_packages_of_others_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"lib/dep/docs.rst": f"use {AWS} or {GITHUB}", "lib/dep/.env": "A=1"})

    assert complaints(tmp_path) == []


def test_keys_of_amazons_documentation_are_examples(tmp_path: Path) -> None:
    write(tmp_path, {"app/readme.txt": "AKIA" + "IOSFODNN7EXAMPLE"})

    assert complaints(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    [
        "app/.env",
        "app/deploy/.env.production",
        "app/.netrc",
        "app/keys/id_ed25519",
        "app/cert.p12",
        "app/home/.aws/credentials",
        "app/infra/terraform.tfstate",
        "app/.envrc",
        "app/deploy/prod.env",
        "app/gcloud/application_default_credentials.json",
        "app/.azure/accessTokens.json",
        "app/.azure/msal_token_cache.json",
        "app/.config/gcloud/credentials.db",
        "app/.config/gcloud/legacy_credentials/me/adc.json",
        "app/.boto",
        "app/.dockercfg",
        "app/deploy/kubeconfig",
        "id_rsa",
    ],
)
def test_files_are_refused_by_name(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: "harmless"})

    (complaint,) = complaints(tmp_path)

    assert complaint.startswith(f"{name}: ")


@pytest.mark.parametrize(
    "name", ["app/.env.example", "app/example.env", "app/environment", "app/id_rsa.pub"]
)
def test_names_that_only_look_alike_are_taken(tmp_path: Path, name: str) -> None:
    write(tmp_path, {name: "harmless"})

    assert complaints(tmp_path) == []


@pytest.mark.parametrize("name", [".git/HEAD", ".git", ".hg/store"])
@pytest.mark.parametrize("folder", ["app", "lib/dep"])
def test_a_repository_is_refused_anywhere(tmp_path: Path, folder: str, name: str) -> None:
    write(tmp_path, {f"{folder}/{name}": "ref"})

    assert complaints(tmp_path) == [
        f"{folder}/{name.partition('/')[0]}: a repository with all its history"
    ]


def test_a_file_is_allowed_by_path_and_digest_alone(tmp_path: Path) -> None:
    key = private_keys()["openssh"]
    write(tmp_path, {"app/tests/key.pem": key, "app/other.pem": key})
    digest = hashlib.sha256(key).hexdigest()
    allow = (f"app/tests/key.pem@sha256:{digest}",)

    assert complaints(tmp_path, allow=allow) == ["app/other.pem:1: a private key"]
    write(tmp_path, {"app/tests/key.pem": key + b"\n"})
    assert len(complaints(tmp_path, allow=allow)) == 2


def test_the_hint_is_the_line_to_write(tmp_path: Path) -> None:
    write(tmp_path, {"app/.env": "A=1"})
    with pytest.raises(SecretFound) as caught:
        check_secrets(tmp_path, allow=())

    line = caught.value.hint.splitlines()[-1]

    assert caught.value.exit_code == ExitCode.LEAK
    assert line == f'allow_secrets = ["app/.env@sha256:{hashlib.sha256(b"A=1").hexdigest()}"]'
    assert complaints(tmp_path, allow=(line.split('"')[1],)) == []


def test_many_findings_are_cut_short(tmp_path: Path) -> None:
    write(tmp_path, {f"app/{number:02}/.env": "A=1" for number in range(25)})

    found = complaints(tmp_path)

    assert len(found) == 21
    assert found[-1] == "and 5 more"


def test_links_and_odd_bytes_do_no_harm(tmp_path: Path) -> None:
    write(tmp_path, {"app/latin1.txt": b"\xe9\xff" + GITHUB.encode(), "app/empty": b""})
    (tmp_path / "app/link").symlink_to("nowhere")
    (tmp_path / "app/again.txt").symlink_to("latin1.txt")

    assert complaints(tmp_path) == ["app/latin1.txt:1: GitHub Token"]


def test_nothing_is_asked_over_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    secret = base64.b64encode(b"x" * 30).decode()
    write(tmp_path, {"app/settings.py": f"aws_key = '{AWS}'\naws_secret_key = '{secret}'\n"})

    assert len(complaints(tmp_path)) == 2


def test_real_packages_of_others_hold_nothing_that_is_refused(tmp_path: Path) -> None:
    packages = Path(sysconfig.get_path("purelib"))
    for name in ("botocore/data/iam", "cryptography", "moto/iam", "paramiko", "werkzeug"):
        shutil.copytree(packages / name, tmp_path / "lib" / name)

    reader = tmp_path / "lib/cryptography/hazmat/primitives/serialization/ssh.py"
    assert "BEGIN OPENSSH PRIVATE KEY" in reader.read_text()
    assert complaints(tmp_path) == []


def test_many_files_are_looked_at_by_several_processes(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    for number in range(2100):
        (tmp_path / f"app/{number}.txt").write_text(f"page {number}")
    one = check_secrets(tmp_path, allow=())
    assert check_secrets(tmp_path, allow=(), workers=3) == one
    (tmp_path / "app/id_rsa").write_text("whatever")
    (tmp_path / "app/9.pem").write_text(f"{MARKER}\n{BODY}\n")
    with pytest.raises(SecretFound) as found:
        check_secrets(tmp_path, allow=(), workers=3)
    assert [secret.path for secret in found.value.secrets] == ["app/9.pem", "app/id_rsa"]


def test_a_file_that_a_process_cannot_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("castoff.builder.secrets._MANY", 1)
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")

    def refuses(path: str, *words: Any, **how: Any) -> Any:
        if path.endswith("/b"):
            raise PermissionError(13, "Permission denied", path)
        return Path(path).open(*words, **how)

    monkeypatch.setattr("castoff.builder.secrets.open", refuses, raising=False)
    with pytest.raises(PermissionError, match="/b"):
        check_secrets(tmp_path, allow=(), workers=2)


def test_what_a_killed_process_has_said_by_half_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    wanted = check_secrets(tmp_path, allow=())

    def dies(_look: object, _paths: object, pipe: BinaryIO) -> None:
        os.write(pipe.fileno(), b'[["a", "half')
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("castoff.builder.secrets._MANY", 1)
    monkeypatch.setattr("castoff.builder.secrets._say", dies)
    assert check_secrets(tmp_path, allow=(), workers=2) == wanted


def test_detectors_load_no_client_and_no_scanner() -> None:
    code = (
        "import sys\n"
        "from castoff.builder.secret_content import token_detectors\n"
        "found = token_detectors()\n"
        "print(len(found), *sys.modules)\n"
        "import detect_secrets\n"
        "assert detect_secrets.SecretsCollection\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    count, *loaded = done.stdout.split()
    assert int(count) > 10
    assert "detect_secrets.plugins.aws" in loaded
    heavy = {"requests", "detect_secrets", "detect_secrets.core.scan", "multiprocessing", "logging"}
    assert not heavy & set(loaded)
