"""Reading castoff.toml: what is wrong is said in plain words, all at once, with lines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from castoff.config.errors import ConfigError
from castoff.config.find import find
from castoff.config.load import load
from castoff.config.step_tables import BUILT_INS
from castoff.store.errors import ExitCode

GOOD = """\
default_app = "shop"

[apps.shop]
shared = ["media/"]

[environments.production]
user = "deploy"
root = "/srv/{app}"

[[environments.production.hosts]]
name = "web1"
roles = ["web"]

[[environments.production.hosts]]
name = "web2"
port = 2222

[[environments.production.steps]]
name = "migrate"
moment = "once"
command = "bin/migrate"
roles = ["web"]
"""


def complaints(folder: Path, text: str | bytes) -> list[str]:
    """Return what the reader says of a file, one problem each, without the path."""
    path = folder / "castoff.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value.message.replace(f"{path}:", "").splitlines()


def test_a_good_file_is_read_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "castoff.toml"
    path.write_text(GOOD)

    loaded = load(path)

    assert loaded.path == path
    assert loaded.base == tmp_path.resolve()
    assert loaded.config.apps["shop"].shared == ("media/",)
    assert [host.name for host in loaded.config.environments["production"].hosts] == [
        "web1",
        "web2",
    ]


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "castoff.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())

    assert load(path).config.default_app == "shop"


@pytest.mark.parametrize(("path", "read"), [(".", "."), ("./", "."), ("web/./app/", "web/app")])
def test_the_folder_of_an_app_is_read_in_its_shortest_spelling(
    tmp_path: Path, path: str, read: str
) -> None:
    file = tmp_path / "castoff.toml"
    file.write_text(f"apps.shop.path = '{path}'")

    assert load(file).config.apps["shop"].path == read


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        (
            'user = "deploy"',
            'usr = "deploy"',
            "7: [environments.production] unknown key 'usr'; did you mean 'user'?",
        ),
        (
            'user = "deploy"',
            'Known-Hosts = "x"',
            "7: [environments.production] unknown key 'Known-Hosts'; did you mean 'known_hosts'?",
        ),
        (
            'user = "deploy"',
            "colour = 1",
            "7: [environments.production] unknown key 'colour'",
        ),
        (
            'user = "deploy"',
            'port = "22"',
            '7: [environments.production] port: expected a whole number, got text "22"',
        ),
        (
            'user = "deploy"',
            "port = 22.0",
            "7: [environments.production] port: expected a whole number, got number 22.0",
        ),
        (
            'user = "deploy"',
            "port = true",
            "7: [environments.production] port: expected a whole number, got true",
        ),
        (
            'user = "deploy"',
            "port = 2020-02-02",
            "7: [environments.production] port: expected a whole number, got a date or time",
        ),
        (
            'user = "deploy"',
            "user = ['deploy']",
            "7: [environments.production] user: expected text, got a list",
        ),
        (
            'user = "deploy"',
            "user = ''",
            "7: [environments.production] user: must not be empty",
        ),
        (
            'user = "deploy"',
            'user = "-oProxyCommand=x"',
            (
                "7: [environments.production] user: must not start with '-' nor hold white space, "
                'got text "-oProxyCommand=x"'
            ),
        ),
        (
            'user = "deploy"',
            "keep = 1",
            "7: [environments.production] keep: must be at least 2, got number 1",
        ),
        (
            'user = "deploy"',
            "limits.connect = 0",
            "7: [environments.production.limits] connect: must be more than 0, got number 0",
        ),
        (
            'user = "deploy"',
            'limits.connect = "15s"',
            '7: [environments.production.limits] connect: expected a number, got text "15s"',
        ),
        (
            'user = "deploy"',
            "limits = 5",
            "7: [environments.production] limits: expected a table, got number 5",
        ),
        (
            'user = "deploy"',
            'transport = "shh"',
            (
                "7: [environments.production] "
                "transport: must be 'ssh' or 'local', got text \"shh\"; "
                "did you mean 'ssh'?"
            ),
        ),
        (
            'user = "deploy"',
            "env = { PASSWORD = 12345 }",
            "7: [environments.production.env] PASSWORD: expected text, got a number",
        ),
        (
            'user = "deploy"',
            'env = ["A=1"]',
            "7: [environments.production] env: expected a table, got a list",
        ),
        (
            'root = "/srv/{app}"',
            'root = "srv"',
            (
                "8: [environments.production] root: must start with '/', '~/', '.' or '{', "
                'got text "srv"'
            ),
        ),
        (
            'root = "/srv/{app}"',
            'root = "/srv/{apps}"',
            (
                "8: [environments.production] "
                "root: {apps} stands for nothing; {app} and {host} do; "
                "did you mean '{app}'?"
            ),
        ),
        (
            'root = "/srv/{app}"',
            'root = "./srv"',
            (
                "8: [environments.production] "
                "root: must start with '/' or '~/' on hosts reached by "
                "ssh"
            ),
        ),
        (
            'name = "web2"',
            'adress = "web2"\nname = "web2"',
            "15: [[environments.production.hosts]] unknown key 'adress'; did you mean 'address'?",
        ),
        (
            'name = "web2"\n',
            "",
            "14: [[environments.production.hosts]] missing key 'name'",
        ),
        (
            'name = "web2"',
            'nam = "web2"',
            "15: [[environments.production.hosts]] unknown key 'nam'; did you mean 'name'?",
        ),
        (
            'name = "web2"',
            'name = "web1"',
            "15: [[environments.production.hosts]] two hosts are named 'web1'",
        ),
        (
            'name = "web2"',
            'name = "Web2"',
            (
                "15: [[environments.production.hosts]] name: a name has small letters, digits and "
                "'-', starts with a letter or digit, and is at most 63 characters long, "
                'got text "Web2"'
            ),
        ),
        (
            "port = 2222",
            "port = 70000",
            "16: [[environments.production.hosts]] port: must be at most 65535, got number 70000",
        ),
        (
            'moment = "once"\n',
            "",
            "18: [[environments.production.steps]] missing key 'moment'",
        ),
        (
            'moment = "once"',
            'moment = "onec"',
            (
                "20: [[environments.production.steps]] "
                "moment: must be 'before_prepare', 'prepare', 'backup', 'once', 'start_idle', "
                "'check_idle', 'before_activate', 'activate', 'after_activate', 'quarantine', "
                "'on_rollback' or 'on_failure', "
                "got text \"onec\"; did you mean 'once'?"
            ),
        ),
        (
            'command = "bin/migrate"\n',
            "",
            (
                "18: [[environments.production.steps]] step 'migrate' does nothing: it needs a "
                f"command, or one of {', '.join(('http', *BUILT_INS))}"
            ),
        ),
        (
            'command = "bin/migrate"',
            'command = "bin/migrate"\nhttp.url = "http://x/"',
            (
                "21: [[environments.production.steps]] step 'migrate' does two things: it needs a "
                f"command, or one of {', '.join(('http', *BUILT_INS))}"
            ),
        ),
        (
            'command = "bin/migrate"',
            'http.url = "ftp://x/"',
            (
                "21: [environments.production.steps.http] url: must be an http:// or https:// URL "
                'without white space, got text "ftp://x/"'
            ),
        ),
        (
            'command = "bin/migrate"\nroles = ["web"]',
            'command = "bin/migrate"\nroles = [\n  "web",\n  "wbe",\n]',
            (
                "24: [[environments.production.steps]] "
                "step 'migrate' wants role 'wbe', which no host "
                "has; did you mean 'web'?"
            ),
        ),
        (
            'command = "bin/migrate"',
            'command = "bin/migrate"\napps = ["shop", "other"]',
            (
                "22: [[environments.production.steps]] step 'migrate' names app 'other', which is "
                "not under [apps]"
            ),
        ),
        (
            'default_app = "shop"',
            'default_app = "shopp"',
            "1: default_app names 'shopp', which is not under [apps]; did you mean 'shop'?",
        ),
        (
            'default_app = "shop"',
            'default_environment = "prod"',
            "1: default_environment names 'prod', which is not under [environments]",
        ),
        (
            'shared = ["media/"]',
            'shared = ["media/", "../up"]',
            "4: [apps.shop] '../up' must be a relative path without '..'",
        ),
        (
            'shared = ["media/"]',
            'shared = [\n  "media/",\n  "media",\n]',
            "6: [apps.shop] 'media' is listed twice",
        ),
        (
            'shared = ["media/"]',
            'shared = ["media/", "media/photos/"]',
            "4: [apps.shop] 'media/photos/' and 'media/' lie in each other",
        ),
        (
            'shared = ["media/"]',
            'shared = "media/"',
            '4: [apps.shop] shared: expected a list, got text "media/"',
        ),
        (
            'shared = ["media/"]',
            'build = { format = "tar", wheel = "no" }',
            '4: [apps.shop.build] wheel: expected true or false, got text "no"',
        ),
        (
            'shared = ["media/"]',
            'path = "/srv"',
            "4: [apps.shop] path: must be a relative path without '..', got text \"/srv\"",
        ),
        (
            'shared = ["media/"]',
            'build.allow_secrets = ["app/key.pem"]',
            (
                "4: [apps.shop.build] allow_secrets: must be written path@sha256:digest, "
                'the digest in small letters, got text "app/key.pem"'
            ),
        ),
        (
            'shared = ["media/"]',
            f'build.allow_secrets = ["../key.pem@sha256:{64 * "0"}"]',
            (
                "4: [apps.shop.build] allow_secrets: must be a relative path without '..', "
                f'got text "../key.pem@sha256:{42 * "0"}…"'
            ),
        ),
        (
            "[environments.production]\n",
            '[signing]\nkey = ""\n[environments.production]\n',
            "7: [signing] key: must not be empty",
        ),
        (
            "[apps.shop]",
            '[apps."The Shop"]',
            (
                "3: [apps] "
                "'The Shop': a name has small letters, digits and '-', starts with a letter "
                "or digit, and is at most 63 characters long"
            ),
        ),
        (
            "[apps.shop]\n",
            "[app.shop]\n",
            "3: unknown key 'app'; did you mean 'apps'?",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, good: str, bad: str, complaint: str
) -> None:
    assert good in GOOD

    assert complaint in complaints(tmp_path, GOOD.replace(good, bad, 1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["1: needs a table [apps.NAME]"]),
        ("[apps]", ["1: apps: must not be empty"]),
        (
            "[apps.a]\n[environments.e]\n",
            [
                (
                    "2: [environments.e] needs a host: a table [[environments.NAME.hosts]], "
                    "or 'hosts_from', or a 'site'"
                ),
            ],
        ),
        (
            "[apps.a]\n[environments.e]\nhosts = []",
            ["3: [environments.e] hosts: must not be empty"],
        ),
        (
            "[apps.a]\n[environments.e.hosts]\nname = 'x'",
            [
                (
                    "2: [environments.e] hosts: expected a list of tables, "
                    "each written [[environments.e.hosts]], got a table"
                )
            ],
        ),
        (
            "[apps.a]\n[environments.e]\nhosts = ['web1']",
            ['3: [environments.e] hosts: expected a table, got text "web1"'],
        ),
        (
            "[apps.a]\n[environments.e]\nhosts = [\n  { name = 'x', prot = 1 },\n]",
            ["4: [[environments.e.hosts]] unknown key 'prot'; did you mean 'port'?"],
        ),
    ],
)
def test_what_is_missing_or_of_the_wrong_shape_is_said_once(
    tmp_path: Path, text: str, said: list[str]
) -> None:
    assert complaints(tmp_path, text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[apps.a]\npath = web\n", "2:8: not TOML: no value of TOML (text needs quotes)"),
        ("[apps.a]\npath = 'a'\npath = 'b'", "3:11: not TOML: this key is set already"),
        ("[apps.a]\n[apps.a]\n", "2:8: not TOML: this table is there already"),
        ("[apps.a\n", "1:8: not TOML: expected ']' at the end of a table declaration"),
        ("[apps.a]\nshared = [\n'x',\n", "3:5: not TOML: the file ends where a value should stand"),
        ("[apps.a]\nshared = ['x'\n", "2:14: not TOML: unclosed array"),
        (b"[apps.a]\n# caf\xe9\n", "2: the text is not UTF-8; save it in that encoding"),
    ],
)
def test_a_file_that_is_no_toml_is_told_with_line_and_column(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    assert complaints(tmp_path, text) == [said]


def test_tables_without_end_are_refused(tmp_path: Path) -> None:
    assert "nested" in complaints(tmp_path, "a = " + "[" * 100_000)[0]


def test_all_problems_come_at_once_in_order_of_their_lines(tmp_path: Path) -> None:
    text = GOOD.replace("port = 2222", "port = 0\nprot = 1").replace('"deploy"', "5")
    text = text.replace("shared", "shard")

    assert [line.split(":")[0] for line in complaints(tmp_path, text)] == ["4", "7", "16", "17"]


def test_problems_can_be_read_by_programs(tmp_path: Path) -> None:
    path = tmp_path / "castoff.toml"
    path.write_text(GOOD.replace("port = 2222", "prot = 1"))

    with pytest.raises(ConfigError) as caught:
        load(path)

    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (16, "environments.production.hosts[1].prot")
    assert problem.suggestion == "port"
    assert caught.value.exit_code is ExitCode.CONFIG


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file") as caught:
        load(tmp_path / "castoff.toml")

    assert "castoff init" in caught.value.hint


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "castoff.toml").mkdir()

    with pytest.raises(ConfigError, match=r"castoff\.toml: cannot be read: Is a directory"):
        load(tmp_path / "castoff.toml")


def test_the_nearest_file_above_is_found(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "castoff.toml").touch()

    assert find(deep) == tmp_path.resolve() / "castoff.toml"
    (deep / "castoff.toml").touch()
    assert find(deep) == deep / "castoff.toml"


def test_a_file_in_the_current_folder_keeps_its_short_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "castoff.toml").touch()
    monkeypatch.chdir(tmp_path)

    assert os.fspath(find(Path())) == "castoff.toml"


def test_the_search_ends_at_the_repository(tmp_path: Path) -> None:
    (tmp_path / "castoff.toml").touch()
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "repository" / "src").mkdir()

    with pytest.raises(ConfigError, match="nor above it in the repository"):
        find(tmp_path / "repository" / "src")


def _document() -> dict[str, Any]:
    step = {"name": "s", "moment": "once", "timeout": 5, "env": {"A": "b"}}
    return {
        "default_app": "a",
        "apps": {"a": {"path": ".", "build": {"wheel": True, "include": ["*"]}, "shared": ["m/"]}},
        "store": {"url": "file://s", "url_expires": 60, "path_style": False},
        "environments": {
            "e": {
                "limits": {"connect": 1.5},
                "hosts": [{"name": "h", "roles": ["r"], "port": 22}],
                "steps": [{**step, "http": {"url": "http://x", "status": 200}}],
            }
        },
    }


def _places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = dict(enumerate(value)).items()
    else:
        return [path]
    return [path, *(place for key, one in inner for place in _places(one, (*path, key)))]


NESTED: list[object] = [[], {}, [1], [[]], {"a": 1}, {"[key]": {}}, [{"a": 1}]]
JARGON = ("input", "validat", "type=", "pydantic", "tuple", "dict", "instance", "ctx", "str ")


@given(
    place=st.sampled_from(_places(_document())[1:]),
    value=st.sampled_from(
        ["", "x y", "-", "\x7f", 0, -1, 10**30, 1.5, float("nan"), float("inf"), True, *NESTED]
    ),
)
def test_no_value_anywhere_is_answered_in_jargon(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[Any, ...], value: object
) -> None:
    document: Any = _document()
    inner = document
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(tomli_w.dumps(document))

    said = ""
    try:
        load(path)
    except ConfigError as error:
        said = error.message.replace(str(path), "").lower()

    assert not [word for word in JARGON if word in said]


def test_a_quarantine_of_any_number_of_hosts_is_refused(tmp_path: Path) -> None:
    text = GOOD + '[environments.production.stragglers]\npolicy = "quarantine"\n'

    assert any("needs 'quorum'" in told for told in complaints(tmp_path, text))


@pytest.mark.parametrize("quorum", ["0", "0%", "101%", "-1", "half", "1.5"])
def test_a_quorum_is_a_number_or_a_share(tmp_path: Path, quorum: str) -> None:
    table = f'[environments.production.stragglers]\nquorum = "{quorum}"\n'

    assert any("quorum" in told for told in complaints(tmp_path, GOOD + table))
