from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from castoff.builder.build import BuildResult
from castoff.builder.errors import BuildError, SourceError
from support.builds import DEMO, Repository, lock, names, unpack

TAG = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"


def test_the_tree_of_a_project_with_a_wheel(tarball: BuildResult) -> None:
    found = names(tarball.archive)
    assert {name.split("/")[0] for name in found} == {"lib", "project", "bin", "castoff.json"}
    assert {name for name in found if name.startswith("bin/")} == {"bin/demo", "bin/python"}
    assert {name for name in found if name.startswith("project/demo/")} == {
        f"project/demo/{name}"
        for stem in ("__init__", "main", "late")
        for name in (f"{stem}.py", f"__pycache__/{stem}.{TAG}.pyc")
    }
    for note in ("direct_url.json", "REQUESTED", "uv_cache.json", "uv_build.json", ".lock"):
        assert not [name for name in found if name.endswith(f"/{note}")]


def test_the_manifest_of_a_project_with_a_wheel(tarball: BuildResult) -> None:
    manifest = tarball.manifest
    named = [(one.name, one.version, one.local) for one in manifest.dependencies]
    assert named == [("itsdangerous", "2.2.0", False), ("markupsafe", "3.0.2", False)]
    # Of all files that the lock allows, those that were installed.
    locked = lock("itsdangerous==2.2.0", "markupsafe==3.0.2")
    digests = [one.sha256 for one in manifest.dependencies]
    assert all(f"sha256:{digest}" in locked for digest in digests)
    assert digests[0] == "c6242fc49e35958c8b15141343aa660db5fc54d4f13a1db01a3f5891b98700ef"
    assert manifest.target.exact_python
    assert manifest.target.requires_python == ">=3.10"
    assert manifest.target.machine == os.uname().machine
    assert manifest.target.glibc
    assert {"castoff", "uv", "build", "python", "backend"} <= set(manifest.built_with)
    # Nothing that had no part in it.
    assert "shiv" not in manifest.built_with
    assert list(tarball.seconds) == [
        "source",
        "fetch",
        "install",
        "normalise",
        "wheel",
        "tree",
        "secrets",
        "archive",
        "manifest",
    ]


OWN_BACK_END = """\
import os
import zipfile

SEEN = [name for name in os.environ if name.startswith(("UV_", "PIP_", "XDG_", "NETRC"))]


def build_wheel(folder, settings=None, metadata=None):
    if SEEN:
        raise SystemExit(f"the back end sees {SEEN}")
    info = "demo-1.dist-info"
    files = {
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: demo\\nVersion: 1\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(os.path.join(folder, "demo-1-py3-none-any.whl"), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return "demo-1-py3-none-any.whl"
"""


def test_a_back_end_gets_no_credentials_of_indexes(repository: Repository, tmp_path: Path) -> None:
    repository.commit(
        {
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "own"\n'
            'backend-path = ["."]\n[project]\nname = "demo"\nversion = "1"\n',
            "own.py": OWN_BACK_END,
        }
    )
    secret = {
        "UV_INDEX_PRIVATE_PASSWORD": "x",
        "PIP_INDEX_URL": "https://me:x@index.example.org/simple",
        "NETRC": str(tmp_path / "netrc"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    built = repository.build(tmp_path / "out", environment={**os.environ, **secret})
    assert [name for name in names(built.archive) if "demo-1.dist-info" in name]


def test_a_running_app_can_tell_what_it_is(tarball: BuildResult, tmp_path: Path) -> None:
    tree = unpack(tarball.archive, tmp_path / "tree")
    assert json.loads((tree / "castoff.json").read_text()) == {
        "app": "demo",
        "version": "1.0",
        "commit": tarball.manifest.source.commit,
    }


def test_every_record_is_true(tarball: BuildResult, tmp_path: Path) -> None:
    tree = unpack(tarball.archive, tmp_path / "tree")
    check = (
        "import importlib.metadata as m, hashlib, base64\n"
        "for d in m.distributions(path=['lib', 'project']):\n"
        "    names = [str(f) for f in d.files]\n"
        "    assert names == sorted(names), names\n"
        "    assert d.read_text('INSTALLER') == 'castoff\\n'\n"
        "    for f in d.files:\n"
        "        data = f.read_binary()\n"
        "        if f.hash is None:\n"
        "            assert f.name == 'RECORD', f\n"
        "            continue\n"
        "        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())\n"
        "        assert (digest.rstrip(b'=').decode(), len(data)) == (f.hash.value, f.size), f\n"
        "    print(d.name.lower(), len(names))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", check], cwd=tree, check=True, capture_output=True, text=True
    )
    assert {line.split()[0] for line in done.stdout.splitlines()} == {
        "demo",
        "itsdangerous",
        "markupsafe",
    }


def test_byte_code_is_never_compared_with_its_source(tarball: BuildResult, tmp_path: Path) -> None:
    tree = unpack(tarball.archive, tmp_path / "tree")
    compiled = list(tree.rglob("*.pyc"))
    assert compiled
    for path in compiled:
        # PEP 552: the flags say "hash-based", and not "check the source".
        assert path.read_bytes()[4:8] == b"\x01\0\0\0"


def test_a_static_site_is_only_its_files(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"index.html": "<p>", "conf.py": "x = 1\n"})
    result = repository.build(tmp_path / "out")
    assert names(result.archive) == {"app/index.html", "app/conf.py", "castoff.json"}
    assert result.manifest.target.python == ""
    assert result.manifest.entry_points == ()


def test_a_project_with_requirements_alone(repository: Repository, tmp_path: Path) -> None:
    repository.commit(
        {"requirements.txt": lock("itsdangerous==2.2.0"), "app.py": "import itsdangerous\n"}
    )
    result = repository.build(tmp_path / "out", exclude=("requirements.txt",))
    tree = unpack(result.archive, tmp_path / "tree")
    assert {n for n in names(result.archive) if n.startswith("app/")} == {
        "app/app.py",
        f"app/__pycache__/app.{TAG}.pyc",
    }
    assert not result.manifest.target.exact_python
    subprocess.run(
        [tree / "bin/python", "app/app.py"],
        cwd=tree,
        env={"PATH": "/usr/bin:/bin", "CASTOFF_PYTHON": sys.executable},
        check=True,
    )


def test_an_empty_requirements_file_makes_scripts_a_python_project(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"requirements.txt": "# nothing\n", "run.py": ""})
    result = repository.build(tmp_path / "out")
    assert "bin/python" in names(result.archive)
    assert result.manifest.target.python


def test_files_beside_a_wheel_are_chosen_by_globs(demo: Repository, tmp_path: Path) -> None:
    result = demo.build(tmp_path / "out", include=("demo/*.py",), exclude=("demo/late.py",))
    app = {n for n in names(result.archive) if n.startswith("app/") and n.endswith(".py")}
    assert app == {"app/demo/__init__.py", "app/demo/main.py"}


def test_without_its_wheel_a_project_is_its_files(demo: Repository, tmp_path: Path) -> None:
    result = demo.build(tmp_path / "out", wheel=False)
    found = names(result.archive)
    assert "app/demo/main.py" in found
    assert "bin/demo" not in found


def test_a_link_out_of_the_tree_stops_the_build(repository: Repository, tmp_path: Path) -> None:
    (repository.folder / "secrets").symlink_to("/etc")
    repository.commit({"page.txt": ""})
    with pytest.raises(BuildError, match="'app/secrets' leaves the release"):
        repository.build(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    repository.build(tmp_path / "out", exclude=("secrets",))


def test_names_that_collide_where_case_does_not_count_stop_the_build(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"Page.txt": "", "page.txt": ""})
    with pytest.raises(BuildError, match=r"app/Page\.txt.*app/page\.txt"):
        repository.build(tmp_path / "out")


def test_what_a_failing_back_end_says_is_told(repository: Repository, tmp_path: Path) -> None:
    broken = DEMO["pyproject.toml"].replace('dependencies = ["itsdangerous", "markupsafe"]', "")
    repository.commit({**DEMO, "pyproject.toml": broken, "setup.py": "raise SystemError('oh no')"})
    with pytest.raises(BuildError, match="oh no") as caught:
        repository.build(tmp_path / "out")
    assert "could not build the wheel" in caught.value.message
    assert caught.value.command.startswith("python")
    assert "castoff-build-" not in caught.value.message.splitlines()[0]


def test_pyproject_that_is_no_toml_is_told(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"pyproject.toml": "[project"})
    with pytest.raises(SourceError, match=r"pyproject\.toml"):
        repository.build(tmp_path / "out")


def test_an_interpreter_that_is_not_there_is_told(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"page.txt": ""})
    with pytest.raises(BuildError, match=r"Python '/nowhere/python'"):
        repository.build(tmp_path / "out", python="/nowhere/python")


@pytest.mark.parametrize("error", [KeyboardInterrupt, BuildError])
def test_temporary_folders_never_stay(
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    repository.commit({"page.txt": ""})
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def stop(*_: object, **__: object) -> None:
        assert list(temporary.iterdir())
        raise error("stop")

    monkeypatch.setattr("castoff.builder.make_tree.walk", stop)
    with pytest.raises(error):
        repository.build(tmp_path / "out")
    assert not list(temporary.iterdir())
    assert not (tmp_path / "out").exists()
