"""What the files say that hold secrets for an app, read by those who read such files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from castoff.config.model import SecretFile
from castoff.releaser.secrets.files import quoted, text_of

VALUES = {
    "PLAIN": "abc/def:80",
    "SPACED": "a b\tc",
    "SINGLE": "it's",
    "BOTH": 'it\'s "so" $HOME `id` \\n \\',
    "DOLLAR": '$HOME ${HOME} `id` \\ "x" #no !x',
    "LINES": "-----BEGIN-----\nabc'd\n-----END-----",
    "NOT_ASCII": "ß→\U0001f600",
}


def file(text: str, names: tuple[str, ...] = tuple(VALUES)) -> SecretFile:
    return SecretFile.model_validate({"path": ".env", "secrets": names, "format": text})


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_reads_each_value_as_it_is(tmp_path: Path, shell: str) -> None:
    (tmp_path / "env").write_text(text_of(file("dotenv"), VALUES))
    show = "; ".join(f"printf '%s\\0' \"${name}\"" for name in VALUES)
    done = subprocess.run(
        [shell, "-c", f". ./env; {show}"], cwd=tmp_path, stdout=subprocess.PIPE, check=True
    )
    assert done.stdout.decode().split("\0") == [*VALUES.values(), ""]


def test_a_value_without_anything_special_has_no_quotes() -> None:
    # Some readers, such as those of `docker run --env-file`, know none.
    assert text_of(file("dotenv", ("PLAIN",)), VALUES) == "PLAIN=abc/def:80\n"
    assert quoted("") == "''"


def test_json_holds_texts_by_their_names() -> None:
    assert json.loads(text_of(file("json"), VALUES)) == VALUES


def test_a_folder_has_a_file_for_each_secret_that_holds_just_that() -> None:
    whole = SecretFile(path="run/{app}/{host}", secrets=("PLAIN", "LINES"), format="folder")
    files = list(whole.each({"app": "shop", "host": "web1"}))
    assert {one.path: text_of(one, VALUES) for one in files} == {
        "run/shop/web1/PLAIN": VALUES["PLAIN"],
        "run/shop/web1/LINES": VALUES["LINES"],
    }
