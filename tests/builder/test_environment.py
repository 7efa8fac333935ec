from __future__ import annotations

from pathlib import Path

import pytest

from castoff.builder.environment import tool_environment

REFERENCE = Path(__file__).parents[2] / "docs/reference/artifact.md"


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "SSL_CERT_FILE",
        "https_proxy",
        "NO_PROXY",
        "UV_INDEX_URL",
        "UV_INDEX_COMPANY_PASSWORD",
        "UV_CONFIG_FILE",
        "UV_EXCLUDE_NEWER",
        "PIP_INDEX_URL",
        "NETRC",
    ],
)
def test_how_to_reach_indexes_is_handed_on(tmp_path: Path, name: str) -> None:
    assert tool_environment({name: "x"}, work=tmp_path, time=0)[name] == "x"


@pytest.mark.parametrize(
    "name",
    ["PYTHONPATH", "PYTHONHOME", "CFLAGS", "CC", "LC_CTYPE", "UV_TARGET", "UV_PYTHON", "PIP_TARGET",
     "UV_PRERELEASE", "VIRTUAL_ENV", "AWS_SECRET_ACCESS_KEY", "GIT_DIR", "USER", "PWD"],
)  # fmt: skip
def test_what_could_change_the_result_is_not(tmp_path: Path, name: str) -> None:
    assert name not in tool_environment({name: "x"}, work=tmp_path, time=0)


def test_what_must_not_differ_is_fixed(tmp_path: Path) -> None:
    caller = {"HOME": "/home/me", "LANG": "de_DE", "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "1"}
    env = tool_environment(caller, work=tmp_path, time=7)
    assert (env["LANG"], env["TZ"], env["SOURCE_DATE_EPOCH"]) == ("C.UTF-8", "UTC", "7")
    assert env["PYTHONHASHSEED"] == "0"
    assert Path(env["HOME"]).is_relative_to(tmp_path)
    assert Path(env["TMPDIR"]).is_relative_to(tmp_path)


def test_the_users_index_settings_are_found_although_home_differs(tmp_path: Path) -> None:
    home = tmp_path / "me"
    home.mkdir()
    (home / ".netrc").touch()
    work = tmp_path / "work"
    work.mkdir()
    env = tool_environment({"HOME": str(home)}, work=work, time=0)
    assert env["XDG_CONFIG_HOME"] == f"{home}/.config"
    assert env["NETRC"] == f"{home}/.netrc"
    relative = {"HOME": str(home), "XDG_CONFIG_HOME": "here"}
    env = tool_environment(relative, work=work, time=0)
    assert env["XDG_CONFIG_HOME"] == f"{home}/.config"


def test_installers_have_a_cache_of_their_own_unless_one_is_named(tmp_path: Path) -> None:
    caller = {"HOME": "/home/me", "XDG_CACHE_HOME": "/home/me/.cache"}
    cache = tmp_path / "cache"
    env = tool_environment(caller, work=tmp_path, time=0, cache=cache)
    assert (env["UV_CACHE_DIR"], env["PIP_CACHE_DIR"]) == (f"{cache}/uv", f"{cache}/pip")
    assert (cache / "uv").stat().st_mode & 0o777 == 0o700
    named = {**caller, "UV_CACHE_DIR": "/cache"}
    assert tool_environment(named, work=tmp_path, time=0, cache=cache)["UV_CACHE_DIR"] == "/cache"


@pytest.mark.parametrize("cache", ["none", "file", "link"])
def test_without_a_cache_what_installers_keep_goes_with_the_build(
    tmp_path: Path, cache: str
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").mkdir()
    (tmp_path / "link/uv").symlink_to(tmp_path)
    folder = None if cache == "none" else tmp_path / cache
    env = tool_environment({}, work=work, time=0, cache=folder)
    assert Path(env["UV_CACHE_DIR"]).parent == work
    assert Path(env["PIP_CACHE_DIR"]).parent == work


def test_the_reference_names_every_variable_that_is_handed_on() -> None:
    from castoff.builder.environment import HANDED_ON

    text = REFERENCE.read_text()
    for name in HANDED_ON:
        assert f"`{name}`" in text
