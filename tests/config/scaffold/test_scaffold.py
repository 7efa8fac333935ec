"""The castoff.toml that `castoff init` writes for real little projects."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from pydantic import BaseModel

from castoff.config.errors import ConfigError
from castoff.config.hosts import resolve_hosts
from castoff.config.load import load
from castoff.config.model import (
    App,
    Assets,
    Backup,
    Build,
    BuildTarget,
    Cdn,
    Config,
    Environment,
    FanOut,
    Host,
    Http,
    Limits,
    Migrate,
    Restart,
    RetrySettings,
    Signing,
    Step,
    StoreSettings,
    Stragglers,
    Strategy,
    SudoRights,
    SystemdUnit,
    Tag,
    Transfer,
)
from castoff.config.scaffold import scaffold
from castoff.config.scaffold.detect import app_name
from castoff.config.select import select_environment
from castoff.config.step_tables import BUILT_INS
from castoff.store.errors import UsageError
from support.projects import PROJECTS, make

# The header of each table in the file, with the name of the example app and environment.
TABLES: dict[str, type[BaseModel]] = {
    "": Config,
    "[apps.mine]": App,
    "[apps.mine.build]": Build,
    "[apps.mine.build.target]": BuildTarget,
    "[apps.mine.assets]": Assets,
    "[apps.mine.cdn]": Cdn,
    "[store]": StoreSettings,
    "[signing]": Signing,
    "[environments.staging]": Environment,
    "[environments.staging.limits]": Limits,
    "[environments.staging.fan_out]": FanOut,
    "[environments.staging.transfer]": Transfer,
    "[environments.staging.retries]": RetrySettings,
    "[environments.staging.stragglers]": Stragglers,
    "[environments.staging.strategy]": Strategy,
    "[environments.staging.tag]": Tag,
    "[[environments.staging.hosts]]": Host,
    "[[environments.staging.steps]]": Step,
    "[environments.staging.steps.http]": Http,
}
# Written as tables of their own, so no key of this name stands in the table above them.
OWN_TABLES = {
    "apps",
    "build",
    "target",
    "assets",
    "cdn",
    "store",
    "signing",
    "environments",
    "limits",
    "fan_out",
    "transfer",
    "retries",
    "stragglers",
    "strategy",
    "notify",
    "tag",
    "hosts",
    "steps",
    "http",
}
# Told of in words alone: put in force beside the rest, they would contradict it.
IN_WORDS = {
    "inherits",
    "without_steps",
    "hosts_from",
    "musl",
    "site",
    "secrets",
    "config",
    "secret_files",
    "provision",
    "unix",
    "ca",
    "verify",
    *BUILT_INS,
}


def written(folder: Path, project: str) -> Config:
    make(folder, project)
    return load(scaffold(folder, name="mine").path).config


def keys_by_table(text: str) -> dict[str, set[str]]:
    """Return the keys of each table, in force or as a comment."""
    found: dict[str, set[str]] = {"": set()}
    table = ""
    for line in text.splitlines():
        if match := re.fullmatch(r"#?(\[.*\])", line):
            table = match[1]
            found.setdefault(table, set())
        elif match := re.match(r"#?(\w+) = ", line):
            found[table].add(match[1])
    return found


def commands(config: Config) -> dict[str, str | None]:
    steps = config.environments["staging"].steps
    return {step.name: step.command or (step.http.url if step.http else None) for step in steps}


def migration(config: Config) -> Migrate:
    found = next(step.migrate for step in config.environments["staging"].steps if step.migrate)
    assert found is not None
    return found


@pytest.mark.parametrize("project", PROJECTS)
def test_each_kind_is_recognised_and_its_file_loads(tmp_path: Path, project: str) -> None:
    kind = make(tmp_path, project)

    done = scaffold(tmp_path)

    config = load(done.path).config
    assert done.kind == kind
    assert set(config.environments) == {"staging", "production"}
    assert select_environment(config, None)[0] == "staging"
    for env in config.environments.values():
        assert resolve_hosts("x", env, tmp_path)
        assert all(host.roles for host in env.hosts)


@pytest.mark.parametrize("project", PROJECTS)
def test_every_key_stands_in_the_file(tmp_path: Path, project: str) -> None:
    make(tmp_path, project)
    found = keys_by_table(scaffold(tmp_path, name="mine").path.read_text())

    for table, model in TABLES.items():
        assert set(model.model_fields) - OWN_TABLES - IN_WORDS <= found[table], table


@pytest.mark.parametrize("project", PROJECTS)
def test_every_commented_key_can_be_put_in_force(tmp_path: Path, project: str) -> None:
    make(tmp_path, project)
    path = scaffold(tmp_path).path
    text = path.read_text()

    path.write_text(re.sub(r"^#(?=[\[a-zA-Z])", "", text, flags=re.MULTILINE))

    assert path.read_text() != text
    assert load(path).config.environments["staging"].limits == Limits()


@pytest.mark.parametrize("project", PROJECTS)
def test_every_command_is_sound_shell(tmp_path: Path, project: str) -> None:
    make(tmp_path, project)
    path = scaffold(tmp_path).path
    path.write_text(re.sub(r"^#(?=[\[a-zA-Z])", "", path.read_text(), flags=re.MULTILINE))

    for env in load(path).config.environments.values():
        for step in env.steps:
            if step.command is not None:
                subprocess.run(["/bin/sh", "-n", "-c", step.command], check=True)


def test_django_is_checked_saved_migrated_restarted_and_asked(tmp_path: Path) -> None:
    config = written(tmp_path, "django")

    steps = {step.name: step for step in config.environments["staging"].steps}
    assert list(steps) == ["check", "backup", "migrate", "restart", "restart-workers", "health"]
    assert steps["check"].command == "bin/python app/manage.py check"
    assert steps["backup"].backup == Backup(kind="postgresql", url="DATABASE_URL")
    assert steps["migrate"].migrate == Migrate(preset="django")
    assert steps["restart"].restart == Restart(systemd=SystemdUnit(unit="mine"))
    assert steps["restart-workers"].restart == Restart(systemd=SystemdUnit(unit="mine-worker"))
    assert {steps[name].user for name in ("restart", "restart-workers")} == {"root"}
    for name in ("check", "backup", "migrate"):
        assert steps[name].secrets == ("DATABASE_URL",)
    build = config.apps["mine"].build
    assert (build.wheel, build.lock, build.exclude) == (False, "uv.lock", ("media/**",))
    assert config.apps["mine"].shared == ("app/media/",)
    production = config.environments["production"]
    assert production.steps[-1].timeout == 60
    assert [h.roles for h in production.hosts] == [("web",), ("web",), ("worker",)]
    assert [(s.name, s.moment) for s in production.steps] == [
        (s.name, s.moment) for s in config.environments["staging"].steps
    ]


@pytest.mark.parametrize("project", PROJECTS)
def test_what_is_to_be_provisioned_are_the_units_that_steps_restart(
    tmp_path: Path, project: str
) -> None:
    make(tmp_path, project)
    path = scaffold(tmp_path, name="mine").path
    text = path.read_text()
    head, _, rest = text.partition("\n#[environments.staging.provision]\n")
    table, _, after = rest.partition("\n\n")
    path.write_text(
        f"{head}\n[environments.staging.provision]\n{table.replace('#', '')}\n\n{after}"
    )

    environment = load(path).config.environments["staging"]
    tables = [step.restart.systemd for step in environment.steps if step.restart]
    units = environment.provision.units if environment.provision else ()
    assert [f"{table.unit}.service" for table in tables if table] == [unit.name for unit in units]
    if units:
        assert environment.provision is not None
        assert environment.provision.sudo == SudoRights(restart=True)
        assert f"/srv/mine/current/{units[0].command}. Done once" in text.replace("\n# ", " ")


def test_each_environment_has_a_database_of_its_own_and_the_app_its_address(
    tmp_path: Path,
) -> None:
    config = written(tmp_path, "django")

    for name, env in config.environments.items():
        assert env.secrets["DATABASE_URL"].env == f"{name.upper()}_DATABASE_URL"
        assert [(file.path, file.secrets) for file in env.secret_files] == [
            ("app/.env", ("DATABASE_URL",))
        ]
    assert not written(tmp_path / "x", "django-sqlite").environments["staging"].secrets


def test_a_manage_py_elsewhere_is_named_and_without_one_the_settings_are(tmp_path: Path) -> None:
    assert migration(written(tmp_path / "a", "django-sqlite")) == Migrate(
        preset="django", manage="app/backend/manage.py"
    )
    (tmp_path / "b" / "site").mkdir(parents=True)
    (tmp_path / "b" / "site" / "settings.py").write_text("")
    found = written(tmp_path / "b", "django-without-manage")
    assert migration(found) == Migrate(preset="django", settings="site.settings")
    assert commands(found)["check"] == (
        "DJANGO_SETTINGS_MODULE=site.settings bin/django-admin check"
    )


def test_an_sqlite_database_is_shared_and_saved_where_it_is_shared(tmp_path: Path) -> None:
    config = written(tmp_path, "django-sqlite")

    assert config.apps["mine"].shared == ("app/db.sqlite3",)
    (saved,) = [step.backup for step in config.environments["staging"].steps if step.backup]
    assert saved == Backup(kind="sqlite", database="app/db.sqlite3")


def test_the_version_is_asked_for_where_the_project_tells_it(tmp_path: Path) -> None:
    source = "urlpatterns = [path('healthz/', answer)]\n"
    for name, more, asked in (
        ("plain", "", {}),
        ("told", "HEADERS = {'X-Version': VERSION}\n", {"X-Version": "{version}"}),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "health.py").write_text(source + more)
        http = written(tmp_path / name, "django").environments["staging"].steps[-1].http
        assert http is not None
        assert http.url == "http://127.0.0.1:8000/healthz/"
        assert http.headers == asked


@pytest.mark.parametrize(
    ("project", "start", "check"),
    [
        ("django", "bin/gunicorn shop.wsgi:application", None),
        ("flask", "bin/gunicorn web.site:app", "bin/python -c 'import web.site'"),
        ("flask-factory", "bin/gunicorn 'app:make_app()'", "bin/python -c 'import app'"),
        ("flask-migrate", "bin/gunicorn blog:app", None),
        ("fastapi", "bin/uvicorn --factory api.main:create_app", None),
        ("package", "bin/mailer", None),
    ],
)
def test_what_a_service_starts_is_guessed(
    tmp_path: Path, project: str, start: str, check: str | None
) -> None:
    make(tmp_path, project)

    done = scaffold(tmp_path, name="mine")

    assert any(note.endswith(f"/srv/mine/current/{start}.") for note in done.notes)
    assert f"/srv/mine/current/{start}." in done.path.read_text()
    if check:
        assert commands(load(done.path).config)["check"] == check


def test_alembic_and_flask_migrate_are_used_where_they_are(tmp_path: Path) -> None:
    flask = written(tmp_path / "b", "flask-migrate")

    assert migration(written(tmp_path / "a", "fastapi")) == Migrate(preset="alembic")
    assert migration(flask) == Migrate(preset="flask-migrate", app="blog")
    assert flask.apps["mine"].build.include == ("migrations/**",)


def test_a_built_site_releases_its_pages_alone(tmp_path: Path) -> None:
    config = written(tmp_path, "static-built")

    assert config.apps["mine"].build.include == ("_site/**",)
    assert commands(config) == {"health": "http://127.0.0.1/"}


@pytest.mark.parametrize(
    ("project", "note"),
    [
        ("package", "uv lock"),
        ("fastapi", "castoff lock reads requirements.in"),
        ("django-sqlite", "requirements.txt has no hashes"),
        ("django-sqlite", "Add gunicorn to the dependencies"),
        ("django", "set STAGING_DATABASE_URL and PRODUCTION_DATABASE_URL"),
        ("django", "EnvironmentFile=/srv/mine/current/app/.env"),
        ("django-sqlite", "/srv/mine/shared/app/db.sqlite3"),
        ("static-built", "/srv/mine/current/app/_site"),
        ("script", "no bin/tidy"),
        ("files", "No kind of project was recognised"),
    ],
)
def test_the_notes_tell_what_is_left_to_do(tmp_path: Path, project: str, note: str) -> None:
    make(tmp_path, project)

    assert note in "\n".join(scaffold(tmp_path, name="mine").notes)


def test_what_is_done_already_is_not_told(tmp_path: Path) -> None:
    make(tmp_path, "flask")

    notes = "\n".join(scaffold(tmp_path).notes)

    assert "lock" not in notes
    assert "hashes" not in notes
    assert "gunicorn to" not in notes
    assert "build-system" not in notes


def test_the_app_is_named_after_the_project_or_else_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "My Site_2"
    make(folder, "static")
    make(tmp_path / "x", "django")

    assert list(load(scaffold(folder).path).config.apps) == ["my-site-2"]
    assert list(load(scaffold(tmp_path / "x").path).config.apps) == ["shop-site"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Shop", "shop"),
        ("__x__", "x"),
        ("Ünï", "n"),
        ("", "app"),
        ("---", "app"),
        ("a" * 70, "a" * 63),
    ],
)
def test_any_text_gives_a_name(text: str, name: str) -> None:
    assert app_name(text) == name


def test_a_file_that_is_there_is_never_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "castoff.toml"
    path.write_text("mine")

    with pytest.raises(UsageError, match="is there already") as caught:
        scaffold(tmp_path)

    assert "--force" in caught.value.hint
    assert path.read_text() == "mine"
    scaffold(tmp_path, force=True)
    assert path.read_text() != "mine"


@pytest.mark.parametrize("name", ["Shop", "", "-x", "a_b", "a" * 64, "../x"])
def test_a_name_that_will_not_do_is_refused_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError, match="not a name for an app"):
        scaffold(tmp_path, name=name)

    assert not (tmp_path / "castoff.toml").exists()


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such folder"):
        scaffold(tmp_path / "nowhere")


def test_a_broken_pyproject_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = shop\n")

    with pytest.raises(ConfigError, match=r"pyproject\.toml:2:8: not TOML"):
        scaffold(tmp_path)


@pytest.mark.parametrize("document", ["project = 1", "[project]\ndependencies = 5", "tool = []"])
def test_a_strange_pyproject_does_no_harm(tmp_path: Path, document: str) -> None:
    (tmp_path / "pyproject.toml").write_text(document)

    assert scaffold(tmp_path).kind == ("package" if "[project]" in document else "files")
