from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from castoff.builder.errors import BuildError, SourceError, StaleLock
from castoff.builder.interpreter import uv
from castoff.builder.purl import of_dependency
from castoff.builder.secrets import SecretFound
from support.builds import DEMO, DEPENDENCIES, Repository, lock, names
from support.local_index import local_index, wheel

VIRTUAL = """\
[project]
name = "demo"
version = "1"
requires-python = ">=3.10"
dependencies = ["itsdangerous==2.2.0"]

[dependency-groups]
dev = ["markupsafe==3.0.2"]
docs = ["packaging==26.0"]

[tool.uv]
default-groups = ["dev", "docs"]
"""
SETUPTOOLS = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "1"
requires-python = ">=3.10"
dependencies = {dependencies}

[tool.setuptools]
py-modules = ["{name}"]
"""


def run_uv(folder: Path, *words: str) -> None:
    subprocess.run([uv(), *words], cwd=folder, check=True, capture_output=True)


def installed(repository: Repository, output: Path, **wanted: str) -> dict[str, str]:
    manifest = repository.build(output, **wanted).manifest
    return {one.name: one.version for one in manifest.dependencies}


def test_uv_lock_is_installed_without_development_groups(
    repository: Repository, tmp_path: Path
) -> None:
    repository.write({"pyproject.toml": VIRTUAL})
    run_uv(repository.folder, "lock", "--quiet")
    repository.commit({})
    assert installed(repository, tmp_path / "out") == {"itsdangerous": "2.2.0"}


def test_a_uv_lock_without_what_was_added_to_the_project_is_refused(
    repository: Repository, tmp_path: Path
) -> None:
    repository.write({"pyproject.toml": VIRTUAL})
    run_uv(repository.folder, "lock", "--quiet")
    more = VIRTUAL.replace('dependencies = ["', 'dependencies = ["markupsafe==3.0.2", "')
    repository.commit({"pyproject.toml": more})
    with pytest.raises(StaleLock, match=r"uv\.lock is out of date") as caught:
        repository.build(tmp_path / "out")
    assert "castoff lock" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_what_was_added_and_no_index_has_is_named(repository: Repository, tmp_path: Path) -> None:
    project = VIRTUAL.partition("[dependency-groups]")[0].replace("itsdangerous==2.2.0", "thing")
    repository.write({"pyproject.toml": project})
    with local_index(wheel("thing", "1.0", {"thing.py": ""})) as index:
        run_uv(repository.folder, "lock", "--quiet", "--default-index", index.url)
        repository.commit({"pyproject.toml": project.replace('"thing"', '"thing", "other"')})
        environment = index.environment(tmp_path)
        with pytest.raises(BuildError, match=r"^pyproject\.toml asks for other, and the index"):
            repository.build(tmp_path / "out", environment=environment)
    with pytest.raises(BuildError, match=rf"^the package index {index.host} does not answer"):
        repository.build(tmp_path / "out", environment=environment)


def test_a_uv_lock_is_not_out_of_date_by_how_the_caller_reaches_indexes(
    repository: Repository, tmp_path: Path
) -> None:
    made = wheel("thing", "1.0", {"thing.py": ""})
    project = VIRTUAL.partition("[dependency-groups]")[0].replace("itsdangerous==2.2.0", "thing")
    with local_index(made) as one, local_index(made) as mirror:
        repository.write({"pyproject.toml": project})
        run_uv(repository.folder, "lock", "--quiet", "--default-index", one.url)
        repository.commit({})
        asked = len(one.asked)
        result = repository.build(tmp_path / "out", environment=mirror.environment(tmp_path))
        assert len(one.asked) == asked
    assert "lib/thing.py" in names(result.archive)


def test_a_uv_lock_is_not_out_of_date_where_the_caller_asks_no_index(
    repository: Repository, tmp_path: Path
) -> None:
    name, data = wheel("thing", "1.0", {"thing.py": ""})
    project = VIRTUAL.partition("[dependency-groups]")[0].replace("itsdangerous==2.2.0", "thing")
    repository.write({"pyproject.toml": project})
    with local_index((name, data)) as index:
        run_uv(repository.folder, "lock", "--quiet", "--default-index", index.url)
        user = index.environment(tmp_path)
    repository.commit({})
    (tmp_path / name).write_bytes(data)
    settings = tmp_path / "uv.toml"
    settings.write_text(f'no-index = true\nfind-links = ["{tmp_path}"]\n')
    own = {k: v for k, v in user.items() if k not in ("UV_DEFAULT_INDEX", "UV_NO_CONFIG")}
    environment = {**own, "UV_CONFIG_FILE": str(settings)}
    result = repository.build(tmp_path / "out", environment=environment)
    assert "lib/thing.py" in names(result.archive)


def test_a_uv_lock_is_not_out_of_date_by_the_callers_bound_in_time(
    repository: Repository, tmp_path: Path
) -> None:
    repository.write({"pyproject.toml": VIRTUAL})
    run_uv(repository.folder, "lock", "--quiet")
    repository.commit({})
    environment = {**os.environ, "UV_EXCLUDE_NEWER": "2026-02-01"}
    result = repository.build(tmp_path / "out", environment=environment)
    assert [one.name for one in result.manifest.dependencies] == ["itsdangerous"]


def test_a_uv_lock_that_cannot_be_read_is_named(repository: Repository, tmp_path: Path) -> None:
    for content in ("version = ", "package = [1]\n", b"\xff\xfe"):
        repository.commit({"pyproject.toml": VIRTUAL, "uv.lock": content})
        with pytest.raises(SourceError, match=r"^uv\.lock: "):
            repository.build(tmp_path / "out")


def test_pylock_is_installed(repository: Repository, tmp_path: Path) -> None:
    repository.write({"pyproject.toml": VIRTUAL})
    run_uv(repository.folder, "lock", "--quiet")
    words = ("export", "--quiet", "--frozen", "--no-default-groups", "--no-emit-project")
    run_uv(repository.folder, *words, "--format", "pylock.toml", "-o", "pylock.toml")
    (repository.folder / "uv.lock").unlink()
    repository.commit({})
    assert installed(repository, tmp_path / "out") == {"itsdangerous": "2.2.0"}


def test_the_lock_that_is_named_wins(repository: Repository, tmp_path: Path) -> None:
    repository.commit(
        {
            "requirements.txt": lock("markupsafe==3.0.2"),
            "locks/production.txt": lock("itsdangerous==2.2.0"),
        }
    )
    found = installed(repository, tmp_path / "out", lock="locks/production.txt")
    assert found == {"itsdangerous": "2.2.0"}
    with pytest.raises(SourceError, match=r"locks/none: the lock that castoff\.toml names"):
        repository.build(tmp_path / "out", lock="locks/none")


def test_members_of_a_workspace_are_built_from_the_same_commit(
    repository: Repository, tmp_path: Path
) -> None:
    web = SETUPTOOLS.format(name="web", dependencies='["base", "itsdangerous==2.2.0"]')
    repository.write(
        {
            "pyproject.toml": '[tool.uv.workspace]\nmembers = ["packages/*"]\n',
            "packages/web/pyproject.toml": web
            + "\n[tool.uv.sources]\nbase = { workspace = true }\n",
            "packages/web/web.py": "",
            "packages/base/pyproject.toml": SETUPTOOLS.format(name="base", dependencies="[]"),
            "packages/base/base.py": "",
        }
    )
    run_uv(repository.folder, "lock", "--quiet")
    repository.commit({})
    manifest = repository.build(tmp_path / "out", path="packages/web").manifest
    # Nothing may be taken for what an index has under that name.
    assert [str(of_dependency(one)) for one in manifest.dependencies] == [
        "pkg:generic/base@1",
        "pkg:pypi/itsdangerous@2.2.0",
    ]
    more = SETUPTOOLS.format(name="base", dependencies='["markupsafe"]')
    repository.commit({"packages/base/pyproject.toml": more})
    with pytest.raises(StaleLock, match=r"^uv\.lock is out of date"):
        repository.build(tmp_path / "stale", path="packages/web")


def test_what_another_folder_of_the_commit_asks_for_is_in_the_lock_too(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit(
        {
            "requirements.txt": "-e ./base\n",
            "base/pyproject.toml": SETUPTOOLS.format(name="base", dependencies='["itsdangerous"]'),
            "base/base.py": "",
        }
    )
    with pytest.raises(StaleLock, match=r"requirements\.txt is out of date: base asks for itsdang"):
        repository.build(tmp_path / "out")


def test_a_token_in_another_folder_of_the_commit_is_found(
    repository: Repository, tmp_path: Path
) -> None:
    # Put together here, so that no scanner finds it in this file.
    token = "ghp_" + "x1Y2" * 9
    repository.commit(
        {
            "requirements.txt": "-e ./base\n",
            "base/pyproject.toml": SETUPTOOLS.format(name="base", dependencies="[]"),
            "base/base.py": f"TOKEN = '{token}'\n",
        }
    )
    with pytest.raises(SecretFound, match=r"project/base\.py"):
        repository.build(tmp_path / "out", exclude=("base/**",))
    assert not (tmp_path / "out").exists()


def test_a_folder_outside_of_the_commit_is_refused(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    repository.commit({"requirements.txt": "-e ../other\n"})
    with pytest.raises(SourceError, match=r"not in the commit: \.\./other"):
        repository.build(tmp_path / "out")


def test_a_file_that_is_not_the_locked_one_is_refused(
    repository: Repository, tmp_path: Path
) -> None:
    wrong = "itsdangerous==2.2.0 --hash=sha256:" + "0" * 64 + "\n"
    repository.commit({"requirements.txt": wrong})
    with pytest.raises(
        BuildError, match=r"^requirements\.txt: the file of itsdangerous 2\.2\.0"
    ) as caught:
        repository.build(tmp_path / "out")
    assert "0" * 64 in caught.value.message
    assert caught.value.command == "uv"
    assert not (tmp_path / "out").exists()


def test_requirements_without_hashes_are_refused(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"requirements.txt": "itsdangerous==2.2.0\n"})
    with pytest.raises(SourceError, match=r"without a hash.*itsdangerous==2\.2\.0") as caught:
        repository.build(tmp_path / "out")
    assert "uv pip compile --generate-hashes" in caught.value.hint


def test_a_requirements_file_is_utf_8_with_or_without_a_mark(
    repository: Repository, tmp_path: Path
) -> None:
    locked = lock("itsdangerous==2.2.0")
    repository.commit({"requirements.txt": locked.encode("utf-16")})
    with pytest.raises(SourceError, match=r"^requirements\.txt: not a text in UTF-8") as caught:
        repository.build(tmp_path / "out")
    assert "PowerShell" in caught.value.hint
    repository.commit({"requirements.txt": locked.encode("utf-8-sig")})
    assert installed(repository, tmp_path / "marked") == {"itsdangerous": "2.2.0"}


def test_a_requirements_file_that_lacks_a_dependency_is_refused(
    repository: Repository, tmp_path: Path
) -> None:
    whole = lock("jinja2==3.1.6")
    start = whole.index("jinja2==")
    end = whole.index("markupsafe==")
    repository.commit({"requirements.txt": whole[start:end]})
    with pytest.raises(BuildError, match="markupsafe"):
        repository.build(tmp_path / "out")


def test_declared_dependencies_need_a_lock(repository: Repository, tmp_path: Path) -> None:
    repository.commit(DEMO)
    with pytest.raises(SourceError, match="has no lock") as caught:
        repository.build(tmp_path / "out")
    assert "uv lock" in caught.value.hint


def test_dependencies_that_only_the_back_end_knows_need_a_lock_too(
    repository: Repository, tmp_path: Path
) -> None:
    dynamic = (
        DEMO["pyproject.toml"]
        .replace('dependencies = ["itsdangerous", "markupsafe"]', 'dynamic = ["dependencies"]')
        .replace(
            "[tool.setuptools]",
            '[tool.setuptools.dynamic]\ndependencies = { file = ["needs.txt"] }\n[tool.setuptools]',
        )
    )
    repository.commit({**DEMO, "pyproject.toml": dynamic, "needs.txt": "itsdangerous\n"})
    with pytest.raises(SourceError, match="has no lock"):
        repository.build(tmp_path / "out")


def test_a_lock_that_no_longer_fits_the_project_is_told(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({**DEMO, "requirements.txt": lock("itsdangerous==2.2.0")})
    with pytest.raises(SourceError, match=r"requirements\.txt is out of date.*markupsafe"):
        repository.build(tmp_path / "out")
    newer = DEMO["pyproject.toml"].replace('"itsdangerous"', '"itsdangerous>=3"')
    repository.commit({"pyproject.toml": newer, "requirements.txt": lock(*DEPENDENCIES)})
    with pytest.raises(SourceError, match=r"itsdangerous>=3, and the lock has 2\.2\.0"):
        repository.build(tmp_path / "out")


def test_what_a_project_without_a_wheel_declares_is_in_the_lock(
    repository: Repository, tmp_path: Path
) -> None:
    locked = lock("markupsafe==3.0.2")
    repository.commit({"pyproject.toml": VIRTUAL, "requirements.txt": locked})
    with pytest.raises(StaleLock, match=r"requirements\.txt is out of date: the project asks for"):
        repository.build(tmp_path / "out")
    itself = VIRTUAL.replace("itsdangerous==2.2.0", "Demo[more]")
    repository.commit({"pyproject.toml": itself})
    assert installed(repository, tmp_path / "itself") == {"markupsafe": "3.0.2"}


def test_variables_of_python_and_pip_change_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"requirements.txt": lock("itsdangerous==2.2.0")})
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('PYTHONPATH came through')\n")
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "PYTHONWARNINGS": "error",
        "PIP_TARGET": str(tmp_path / "elsewhere"),
        "UV_TARGET": str(tmp_path / "elsewhere"),
        "UV_NO_BINARY": "1",
    }
    before = repository.build(tmp_path / "before").manifest
    after = repository.build(tmp_path / "after", environment=environment).manifest
    assert before == after
    assert not (tmp_path / "elsewhere").exists()
