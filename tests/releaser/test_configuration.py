"""Configuration files from a release's templates, from rendering to the way back.

There are two hosts, `web1` and `web2`, and each has a file in the release and one outside.
"""

from __future__ import annotations

import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from castoff.config.errors import ConfigError
from castoff.releaser.configuration.render import Renderer
from castoff.releaser.errors import (
    Aborted,
    PreflightFailed,
    PrepareFailed,
    RolledBack,
    TemplateFailed,
)
from castoff.releaser.job import Scope
from castoff.releaser.operations.status import look
from castoff.releaser.plan import Plan
from castoff.releaser.release import look_ahead, resolve, run
from castoff.releaser.resume import abort, resume
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store.artifacts import push
from castoff.store.errors import UsageError
from support.engine import Ears, check, faulty, go, live
from support.local_scope import APP, make_scope
from support.memory_fleet import ControllerDied, Fault, MemoryFleet
from support.nginx_server import missing as nginx_missing
from support.nginx_server import nginx_server
from support.traps import wait_until
from support.written_artifact import write_artifact

SETTINGS = """\
{%- set me = host.name -%}
version = {{ version }}
host = {{ me }} at {{ current }}
{%- for one in roles.web %}
peer = {{ one.name }}
{%- endfor %}
level = {{ env.LEVEL }}
"""
SITE = "server {{ host.name }} key={{ secrets.KEY }} v{{ version }};\n"
TEMPLATES = {"settings.j2": SETTINGS, "site.j2": SITE}
SECRET = "s3cret-value"


def publish(scope: Scope, folder: Path, version: str, templates: dict[str, str]) -> None:
    files = {f"app/deploy/{name}": text.encode() for name, text in templates.items()}
    files["app/main.txt"] = version.encode()
    push(scope.store, write_artifact(folder / "more", APP, version, files))


def configured(folder: Path, *steps: dict[str, Any], **changes: Any) -> Scope:
    """Return a scope of two hosts with a file in the release and one outside; A and B are there."""
    (folder / "etc").mkdir(exist_ok=True)
    scope = make_scope(
        folder,
        list(steps),
        **{
            "hosts": 2,
            "roles": ("web",),
            "env": {"LEVEL": "low"},
            "secrets": {"KEY": {"env": "SHOP_KEY"}},
            "config": (
                {"template": "deploy/settings.j2", "path": "settings.ini"},
                {
                    "template": "deploy/site.j2",
                    "path": f"{folder}/etc/{{app}}-{{host}}.conf",
                    "secrets": ("KEY",),
                },
            ),
            **changes,
        },
    )
    publish(scope, folder, "A", TEMPLATES)
    publish(scope, folder, "B", {**TEMPLATES, "site.j2": "# newer\n" + SITE})
    return scope


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", SECRET)


def settings(scope: Scope, number: int) -> str:
    return (Path(scope.hosts[number].root) / "current/settings.ini").read_text()


def outside(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "etc").iterdir()}


def site(host: str, version: str, key: str = SECRET, head: str = "") -> str:
    return f"{head}server {host} key={key} v{version};\n"


def test_each_host_gets_its_own_files_and_a_rollback_brings_the_older_ones(tmp_path: Path) -> None:
    scope = configured(tmp_path)
    (tmp_path / f"etc/{APP}-web2.conf").write_text("the host's own")

    go(scope, "release", "A")

    root = scope.hosts[1].root
    assert settings(scope, 1) == (
        f"version = A\nhost = web2 at {root}/current\npeer = web1\npeer = web2\nlevel = low\n"
    )
    first = {f"{APP}-{name}.conf": site(name, "A") for name in ("web1", "web2")}
    assert outside(tmp_path) == first
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "etc").iterdir()} == {0o600}

    go(scope, "release", "B")
    assert outside(tmp_path)[f"{APP}-web1.conf"] == site("web1", "B", head="# newer\n")
    go(scope, "rollback", "A")
    assert outside(tmp_path) == first
    assert settings(scope, 0).startswith("version = A\n")
    # A version from before there were such files: what it is for is left out.
    go(scope, "rollback", "1")
    assert outside(tmp_path) == {f"{APP}-web2.conf": "the host's own"}
    assert not (Path(root) / "current/settings.ini").exists()
    # Its value lies in the files that are for it, and nowhere else.
    holders = {
        path.parent.name
        for path in tmp_path.rglob("*")
        if path.is_file() and not path.is_symlink() and SECRET.encode() in path.read_bytes()
    }
    assert holders == {"outside"}


def test_a_failed_check_after_the_flip_brings_files_back_with_the_code(tmp_path: Path) -> None:
    scope = configured(tmp_path, check('! grep -q broken "$CASTOFF_RELEASE/settings.ini"'))
    go(scope, "release", "A")
    before = outside(tmp_path)
    publish(scope, tmp_path, "C", {**TEMPLATES, "settings.j2": "broken\n"})

    with pytest.raises(RolledBack):
        go(scope, "release", "C")

    assert live(scope) == ["A", "A"]
    assert outside(tmp_path) == before
    assert settings(scope, 0).startswith("version = A\n")


def test_new_values_of_the_same_version_come_and_go_back(tmp_path: Path) -> None:
    healthy = check('grep -q "level = low" "$CASTOFF_RELEASE/settings.ini"')
    scope = configured(tmp_path, healthy)
    go(scope, "release", "A")

    with pytest.raises(RolledBack):
        go(configured(tmp_path, healthy, env={"LEVEL": "high"}), "release", "A")
    assert "level = low\n" in settings(scope, 0)

    go(configured(tmp_path, env={"LEVEL": "high"}), "release", "A")
    assert "level = high\n" in settings(scope, 0)


def test_an_error_in_a_template_names_its_line_and_nothing_is_done(tmp_path: Path) -> None:
    scope = configured(tmp_path)
    for text, said in (
        ("one\n{{ nonsense }}\n", r"deploy/settings\.j2:2: 'nonsense' is not defined"),
        ("one\n\n{{ host.nme }}", r"deploy/settings\.j2:3: 'nme' is not defined"),
        ("{{ secrets.KEY }}", r"settings\.j2:1: the secret 'KEY' is not among `secrets`"),
        ("one\n{% if %}", r"deploy/settings\.j2:2: "),
        ("{{ 1 / 0 }}", r"deploy/settings\.j2:1: division by zero"),
        ("{{ host.__class__.__mro__ }}", r"settings\.j2:1: .*unsafe"),
        ("\n{% include 'deploy/part.j2' %}", r"deploy/part\.j2:2: 'lost' is not defined"),
        ("{% include 'deploy/no.j2' %}", r"the release has no template 'deploy/no\.j2'"),
    ):
        version = f"T{abs(hash(text)) % 10**8}"
        templates = {**TEMPLATES, "settings.j2": text, "part.j2": "1\n{{ lost }}"}
        publish(scope, tmp_path, version, templates)
        with pytest.raises(TemplateFailed, match=said):
            go(scope, "release", version)
        assert not (Path(scope.hosts[0].root) / "releases" / version).exists()
    with pytest.raises(TemplateFailed, match=r"1 has no deploy/settings\.j2 in its app/"):
        go(scope, "release", "1")
    assert live(scope) == ["-", "-"]


def test_an_error_that_a_template_makes_of_a_secret_does_not_tell_it(tmp_path: Path) -> None:
    scope = configured(tmp_path)
    text = "{{ {'a': 1}[secrets.KEY] }}"
    publish(scope, tmp_path, "T", {**TEMPLATES, "site.j2": text})
    for action in (lambda: go(scope, "release", "T"), lambda: plan(scope, "T")):
        with pytest.raises(TemplateFailed, match=r"site\.j2:1: .*\*\*\*") as caught:
            action()
        assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_file_that_its_program_does_not_take_stops_the_release(tmp_path: Path) -> None:
    judged = {
        "template": "deploy/settings.j2",
        "path": f"{tmp_path}/etc/{{host}}.ini",
        "check": "grep -n level {file}; ! grep -q high {file}",
    }
    go(configured(tmp_path, config=(judged,)), "release", "A")
    scope = configured(tmp_path, config=(judged,), env={"LEVEL": "high"})

    with pytest.raises(PrepareFailed, match=r"web1\.ini failed: 5:level = high"):
        go(scope, "release", "B")

    assert live(scope) == ["A", "A"]
    assert "level = low" in outside(tmp_path)["web1.ini"]


def test_where_nobody_may_put_a_file_is_known_before_anything_is_done(tmp_path: Path) -> None:
    lost = {"template": "deploy/settings.j2", "path": "/no/such/folder/{host}"}
    with pytest.raises(PreflightFailed, match="there is no folder /no/such"):
        go(configured(tmp_path, config=(lost,)), "release", "A")
    one = {"template": "deploy/settings.j2", "path": f"{tmp_path}/etc/{{host}}"}
    with pytest.raises(ConfigError, match=r"web1 is to have two files at .*/etc/web1"):
        go(configured(tmp_path, config=(one, one)), "release", "A")


def plan(scope: Scope, version: str) -> Plan:
    return look_ahead(resolve(scope, "release", version))


def test_the_plan_shows_each_difference_once_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = {"template": "deploy/same.j2", "path": "same.ini", "secrets": ("KEY",)}
    public = {**same, "path": f"{tmp_path}/etc/{{host}}"}
    scope = configured(tmp_path, config=(same, public))
    publish(scope, tmp_path, "C", {"same.j2": "v={{ version }}\nkey={{ secrets.KEY | upper }}\n"})

    (first, *_) = files = plan(scope, "C").files
    assert [(f.path.rpartition("/")[2], f.change, f.hosts) for f in files] == [
        ("web1", "new", ("web1",)),
        ("web2", "new", ("web2",)),
        ("same.ini", "new", ("web1", "web2")),
    ]
    assert "+key=<SECRET KEY>" in first.diff.splitlines()
    assert not (tmp_path / "etc/web1").exists()
    go(scope, "release", "C")
    assert plan(scope, "C").files == ()

    monkeypatch.setenv("SHOP_KEY", "another-value")
    (tmp_path / "etc/web2").write_text("by hand")
    changes = {file.path.rpartition("/")[2]: file for file in plan(scope, "C").files}
    assert changes["same.ini"].diff == "only the value of a secret changes"
    assert changes["web2"].edited
    assert "not shown" in changes["web2"].diff
    drifts = [host.drift for host in look(scope).hosts]
    assert [drift and drift.changed for drift in drifts] == [None, (f"{tmp_path}/etc/web2",)]
    assert "another-value" not in repr(changes).lower()
    publish(scope, tmp_path, "D", {"same.j2": "v={{ version }}\n"})
    said = next(file for file in plan(scope, "D").files if file.path == "same.ini")
    assert said.diff.splitlines()[-3:] == ["-v=C", "-key=<SECRET KEY>", "+v=D"]

    ears = Ears()
    run(resolve(scope, "release", "C"), Timeline(ears))
    assert any("web2" in note and "keeps a copy" in note for note in ears.notes)


def test_templates_keep_their_last_newline_and_escape_nothing() -> None:
    texts = {"a": "{{ x }} <&>\n", "b": "{{ x }}"}
    renderer = Renderer(texts.get)
    assert renderer.render("a", {"x": "<'>"}) == "<'> <&>\n"
    assert renderer.render("b", {"x": "1"}) == "1"


DEATHS = [
    pytest.param(op, before, marks=() if op == "activate" and before else pytest.mark.sweep)
    for op in ("built_in", "activate", "run", "confirm")
    for before in (True, False)
]


@pytest.mark.parametrize(("op", "before"), DEATHS)
def test_a_controller_that_dies_leaves_files_that_resume_and_abort_set_right(
    tmp_path: Path, op: str, before: bool
) -> None:
    scope = configured(tmp_path, check("true"))
    go(scope, "release", "A")
    old = outside(tmp_path)
    new = {name: "# newer\n" + text.replace(" vA;", " vB;") for name, text in old.items()}

    for end, wanted in ((abort, old), (resume, new)):
        with pytest.raises(ControllerDied):
            faulty(scope, "release", "B", Fault("web2", op, before=before, dies=True))
        fleet = MemoryFleet()
        with suppress(Aborted, RolledBack, UsageError):
            end(scope, Timeline(Silent()), connect=fleet.connect)
        fleet.hang_up()
        late = op == "confirm"
        assert outside(tmp_path) == (new if late else wanted)
        assert live(scope) == ["B", "B"] if late or end is resume else ["A", "A"]
        if late:
            return


@pytest.mark.skipif(bool(nginx_missing), reason=nginx_missing)
def test_nginx_serves_by_the_file_of_the_version_that_is_served(tmp_path: Path) -> None:
    page = "server {{ listen 127.0.0.1:{port}; location / {{ return {status} '{text}'; }} }}\n"
    with nginx_server(tmp_path / "nginx") as nginx:

        def template(text: str, status: int = 200) -> dict[str, str]:
            return {"site.j2": page.format(port=nginx.port, status=status, text=text)}

        reload = {"name": "reload", "moment": "activate", "command": nginx.reload}
        healthy = {
            "name": "health",
            "moment": "after_activate",
            "http": {"url": f"http://127.0.0.1:{nginx.port}/", "contains": "v{version};"},
            "timeout": 2,
        }
        file = {
            "template": "deploy/site.j2",
            "path": f"{nginx.sites}/{{app}}.conf",
            "check": f"nginx:{nginx.main}",
        }
        scope = configured(tmp_path, reload, healthy, hosts=1, config=(file,))
        publish(scope, tmp_path, "C", template("v{{ version }};"))
        publish(scope, tmp_path, "D", template("newer v{{ version }};"))
        publish(scope, tmp_path, "sick", template("v{{ version }};", 503))
        publish(scope, tmp_path, "wrong", {"site.j2": "server { lisen 80; }\n"})

        for version, said in (("C", "vC;"), ("D", "newer vD;")):
            go(scope, "release", version)
            assert nginx.get() == said
        with pytest.raises(PrepareFailed, match=r'unknown directive "lisen" in .*pages\.conf:1'):
            go(scope, "release", "wrong")
        assert nginx.get() == "newer vD;"
        with pytest.raises(RolledBack):
            go(scope, "release", "sick")
        wait_until(lambda: nginx.get() == "newer vD;", "the file did not come back")
        go(scope, "rollback", "C")
        # Workers of before may take a connection more.
        wait_until(lambda: nginx.get() == "vC;", "the file did not go back")
        go(configured(tmp_path, reload, hosts=1, config=()), "release", "2")
        assert list(nginx.sites.iterdir()) == []
