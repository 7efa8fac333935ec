"""What is built from the commit lies apart from what the lock names, and is found all the same."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from castoff.builder.apart import check_apart
from castoff.builder.build import BuildResult
from castoff.builder.errors import SourceError
from castoff.builder.layer import Layer
from castoff.builder.tree import Tree, walk
from castoff.store.local_artifact import load_local, verify_local
from castoff.store.packages import by_package, read_owners
from support import builds
from support.builds import Repository, names, unpack
from support.local_index import Index, local_index, wheel
from support.own_wheel import own_project

EXTENDS = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
DEPENDENCY: dict[str, str | bytes] = {
    "dep/__init__.py": "",
    "dep/code.py": "WORD = 'dep'\n",
    "space/theirs.py": "WORD = 'theirs'\n",
    "dep-1.0.data/scripts/dep-tool": "#!python\nprint('tool')\n",
}
SAY = "def run():\n    import dep.code, space.theirs, space.ours, demo\n    print(demo.__file__)\n"
OWN = {"demo/__init__.py": SAY, "space/ours.py": "WORD = 'ours'\n"}
SCRIPT = "demo = demo:run"


def contents(result: BuildResult) -> list[bytes]:
    return [path.read_bytes() for path in (result.archive, result.table, result.manifest_path)]


def home(tmp_path: Path, index: Index) -> Mapping[str, str]:
    (tmp_path / "home").mkdir(exist_ok=True)
    return index.environment(tmp_path / "home")


def run(argv: list[str | Path], folder: Path) -> str:
    path = f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}"
    env = {"PATH": path, "HOME": str(folder), "CASTOFF_PYTHON": sys.executable}
    done = subprocess.run(argv, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Tree]:
    """Every tree that is packed."""
    trees: list[Tree] = []

    def watched(*args: Any, **named: Any) -> Tree:
        trees.append(walk(*args, **named))
        return trees[-1]

    monkeypatch.setattr("castoff.builder.make_tree.walk", watched)
    return trees


def test_after_a_change_of_the_projects_code_dependencies_are_not_even_laid_out(
    repository: Repository, tmp_path: Path, seen: list[Tree], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(Layer, "lay_out", never)
    made = wheel("dep", "1.0", DEPENDENCY)
    with local_index(made) as index:
        env, cache = home(tmp_path, index), tmp_path / "cache"
        base = own_project("base", {"base.py": "x = 1\n"}, at="base/")
        own = own_project("demo", OWN, scripts=SCRIPT, requires="dep")
        repository.commit(
            {**own, **base, "requirements.txt": f"-e ./base\n{index.requirement(made[0])}"}
        )
        wanted: dict[str, Any] = {"version": "1", "environment": env, "include": ("own.py",)}
        without = repository.build(tmp_path / "without", **wanted)
        cold = repository.build(tmp_path / "cold", cache=cache, **wanted)
        warm = repository.build(tmp_path / "warm", cache=cache, **wanted)
        assert contents(without) == contents(cold) == contents(warm)

        repository.commit({"src/demo/__init__.py": f"{SAY}# changed\n", "base/src/base.py": "x=2"})
        changed = repository.build(tmp_path / "changed", cache=cache, **wanted)
        again = repository.build(tmp_path / "again", **wanted)
        assert contents(changed) == contents(again) != contents(warm)

    assert "install" in cold.seconds
    for one in (warm, changed):
        assert "install" not in one.seconds
        assert [dep.name for dep in one.manifest.dependencies if dep.local] == ["base"]
    for tree in (seen[2], seen[3]):
        assert tree.layer is not None
        assert tree.layer.settled is not None
        assert not [file.path for file in tree.own_files if file.path.startswith("lib/")]
        assert {"project/demo/__init__.py", "project/base.py", "app/own.py"} <= set(tree.paths)

    release = unpack(changed.archive, tmp_path / "release")
    assert run([release / "bin/demo"], tmp_path) == f"{release}/project/demo/__init__.py"
    assert run([release / "bin/dep-tool"], tmp_path) == "tool"
    code = "import demo, base, dep.code, space.ours, space.theirs; print(base.__file__)"
    assert run([release / "bin/python", "-c", code], tmp_path) == f"{release}/project/base.py"
    artifact = load_local(tmp_path / "changed", "demo", "1")
    table = verify_local(artifact)
    groups = {one.name for one in by_package(artifact.manifest, table, {})}
    assert {"dep", "base", "project/demo/"} <= groups
    owners = read_owners(artifact.archive, table)
    assert (owners["project/space/ours.py"], owners["lib/space/theirs.py"]) == ("demo", "dep")


def built(
    repository: Repository,
    tmp_path: Path,
    theirs: Mapping[str, str | bytes],
    ours: Mapping[str, str],
    **wanted: Any,
) -> BuildResult:
    """Build a project beside a dependency, each of them with some files."""
    made = wheel("dep", "1.0", theirs)
    with local_index(made) as index:
        own = own_project("demo", {"demo.py": "def run(): pass\n", **ours}, scripts="d = demo:run")
        repository.commit({**own, "requirements.txt": index.requirement(made[0])})
        return repository.build(tmp_path / "out", environment=home(tmp_path, index), **wanted)


@pytest.mark.parametrize("inits", [("", ""), ("ours", "theirs"), ("theirs",), ("ours",)])
@pytest.mark.parametrize("kept", [True, False])
def test_a_package_that_looks_for_all_its_parts_may_be_in_both(
    repository: Repository, tmp_path: Path, inits: tuple[str, ...], *, kept: bool
) -> None:
    result = built(
        repository,
        tmp_path,
        {"p/q/theirs.py": "", **({"p/q/__init__.py": EXTENDS} if "theirs" in inits else {})},
        {"p/q/ours.py": "", **({"p/q/__init__.py": EXTENDS} if "ours" in inits else {})},
        cache=tmp_path / "cache" if kept else None,
    )
    release = unpack(result.archive, tmp_path / "release")
    run([release / "bin/python", "-c", "import p.q.theirs, p.q.ours"], tmp_path)


TORN: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "both regular": ({"p/__init__.py": "", "p/a.py": ""}, {"p/__init__.py": "", "p/b.py": ""}),
    "into the dependency's": ({"p/__init__.py": "", "p/a.py": ""}, {"p/b.py": ""}),
    "data into it": ({"p/__init__.py": ""}, {"p/page.html": ""}),
    "over the dependency's": ({"p/a.py": ""}, {"p/__init__.py": ""}),
    "a module in both": ({"p.py": ""}, {"p.py": ""}),
    "a module and a package": ({"p/__init__.py": ""}, {"p.py": ""}),
    "a package and a module": ({"p.py": ""}, {"p/x.py": ""}),
    "a compiled module": ({"p.cpython-311-x86_64-linux-gnu.so": ""}, {"p.py": ""}),
    "one that does not look for its parts": (
        {"p/__init__.py": EXTENDS, "p/a.py": ""},
        {"p/__init__.py": "", "p/b.py": ""},
    ),
}
FITS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "parts of a package": ({"p/a.py": "", "p/c/x.py": ""}, {"p/b.py": "", "p/c/y.py": ""}),
    "data": ({"share/doc/x.txt": ""}, {"share/doc/x.txt": "", "share/doc/y.py": ""}),
    "a module beside data": ({"p/x.txt": ""}, {"p.py": ""}),
    "data beside a module": ({"p.py": ""}, {"p/x.txt": ""}),
    "metadata": ({"p-1.dist-info/a.py": ""}, {"p-1.dist-info/a.py": ""}),
    "neighbours": ({"p.py": "", "pq/a.py": ""}, {"pq_r/a.py": "", "q.py": "", "pqr.py": ""}),
    "one that looks for its parts": (
        {"p/__init__.py": EXTENDS, "p/a.py": ""},
        {"p/__init__.py": EXTENDS, "p/b/__init__.py": ""},
    ),
}


def warnings(folder: Path, theirs: Mapping[str, str], ours: Mapping[str, str]) -> list[str]:
    for place, files in (("lib", theirs), ("project", ours)):
        for name, text in files.items():
            path = folder / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    told: list[str] = []
    check_apart(folder, None, warn=told.append)
    return told


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("case", TORN)
def test_what_python_would_find_one_half_of_is_refused(
    tmp_path: Path, case: str, *, deep: bool
) -> None:
    theirs, ours = ({f"up/{n}" if deep else n: t for n, t in each.items()} for each in TORN[case])
    name = r"up\.p" if deep else "p"
    with pytest.raises(SourceError, match=rf"^{name} is in the project's own wheel and in a depen"):
        warnings(tmp_path, theirs, ours)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("case", FITS)
def test_what_python_finds_all_of_is_not(tmp_path: Path, case: str, *, deep: bool) -> None:
    theirs, ours = ({f"up/{n}" if deep else n: t for n, t in each.items()} for each in FITS[case])
    assert warnings(tmp_path, theirs, ours) == []


@pytest.mark.parametrize("inside", ["p", "up/p", "tests"])
def test_data_that_a_dependency_puts_into_the_projects_package_is_told_of(
    tmp_path: Path, inside: str
) -> None:
    (told,) = warnings(tmp_path, {f"{inside}/x/y.txt": ""}, {f"{inside}/__init__.py": ""})
    assert told.startswith(f"project/{inside} of the project's own wheel hides lib/{inside} of a ")
    more = {f"{inside}/__init__.py": EXTENDS}
    assert warnings(tmp_path, {}, more) == []


@pytest.mark.parametrize("kept", [True, False])
def test_nothing_is_built_of_what_is_refused(
    repository: Repository, tmp_path: Path, *, kept: bool
) -> None:
    cache = tmp_path / "cache" if kept else None
    with pytest.raises(SourceError, match=r"would import only one of them: project/p or lib/p"):
        built(repository, tmp_path, *TORN["both regular"], cache=cache)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["tarball", "zipapp"])
def test_tests_that_wheels_bring_by_mistake_only_get_a_warning(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    told: list[str] = []
    monkeypatch.setattr(builds, "_silent", lambda stage, text: told.append(f"{stage}: {text}"))
    theirs = {"tests/__init__.py": "theirs = 1\n", "tests/test_a.py": ""}
    ours = {"tests/__init__.py": "ours = 1\n", "tests/test_b.py": "", "dep_tests/x.py": ""}
    result = built(repository, tmp_path, theirs, ours, format=kind, prune=("*/nothing",))
    (said,) = [text for text in told if "hides" in text]
    assert said.startswith("normalise: warning: project/tests of the project's own wheel hides lib")
    table = verify_local(load_local(tmp_path / "out", "demo", result.manifest.version))
    assert {"project/tests/test_b.py", "lib/tests/test_a.py"} <= {f.path for f in table.files}
    assert len([f.path for f in table.files if f.path.endswith("/tests/__init__.py")]) == 2
    if kind == "zipapp":
        with zipfile.ZipFile(result.archive) as archive:
            assert archive.read("site-packages/tests/__init__.py") == b"ours = 1\n"


def test_what_the_wheel_brings_itself_is_never_pruned(
    repository: Repository, tmp_path: Path
) -> None:
    theirs = {"dep/__init__.py": "", "dep/tests/x.py": ""}
    result = built(repository, tmp_path, theirs, {"demo_more/tests/x.py": ""}, prune=("tests",))
    found = names(result.archive)
    assert "project/demo_more/tests/x.py" in found
    assert "lib/dep/tests/x.py" not in found


def with_itself(index: Index, *made: tuple[str, bytes]) -> str:
    return "".join(index.requirement(name) for name, _ in made)


@pytest.mark.parametrize("kind", ["tarball", "zipapp"])
def test_of_what_the_lock_pins_as_well_only_the_commits_own_is_there(
    repository: Repository, tmp_path: Path, kind: str
) -> None:
    dep = wheel("dep", "1.0", DEPENDENCY)
    old = wheel("Dem_O", "1.0", {"demo.py": "OLD = 1\n", "old/old.py": "", "space/both.py": ""})
    base = wheel("base", "1.0", {"base.py": "OLD = 1\n"})
    with local_index(dep, old, base) as index:
        repository.commit(
            {
                **own_project("dem-o", {"demo.py": "def run(): pass\n"}, scripts=SCRIPT),
                **own_project("base", {"base.py": "x = 1\n"}, at="base/"),
                "requirements.txt": "-e ./base\n" + with_itself(index, dep, old, base),
            }
        )
        env, cache = home(tmp_path, index), tmp_path / "cache"
        wanted: dict[str, Any] = {"version": "1", "environment": env, "format": kind}
        results = [
            repository.build(tmp_path / f"{number}", cache=kept, **wanted)
            for number, kept in enumerate((None, cache, cache))
        ]
    assert contents(results[0]) == contents(results[1]) == contents(results[2])
    table = verify_local(load_local(tmp_path / "0", "demo", "1"))
    inside = {file.path for file in table.files}
    assert {"project/demo.py", "project/base.py", "lib/space/theirs.py"} <= inside
    assert not [
        path for path in inside if path.startswith(("lib/dem", "lib/Dem", "lib/base", "lib/old"))
    ]
    assert [(one.name, one.version) for one in results[0].manifest.dependencies] == [
        ("base", "2.0"),
        ("dep", "1.0"),
    ]


def test_a_name_that_only_the_back_end_knows_must_not_be_in_the_lock(
    repository: Repository, tmp_path: Path
) -> None:
    made = wheel("demo", "1.0", {"old.py": ""})
    with local_index(made) as index:
        own = own_project("demo", {"demo.py": ""}, scripts=SCRIPT, named=False)
        repository.commit({**own, "requirements.txt": index.requirement(made[0])})
        with pytest.raises(SourceError, match=r"\.txt locks demo, which the commit has"):
            repository.build(tmp_path / "out", environment=home(tmp_path, index))
