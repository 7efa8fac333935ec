"""What Django is run with while a release is built: the same bytes, whatever is done to it."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from castoff.builder.cache_space import prune
from castoff.store.errors import ExitCode
from support.builds import lock
from support.site import Outcome, Site

# The project's settings do as these say while collectstatic runs.
SETTINGS = """\
import os
from pathlib import Path
import django
SECRET_KEY = os.environ['SECRET_KEY']
INSTALLED_APPS = ['django.contrib.admin', 'django.contrib.auth', 'django.contrib.contenttypes',
    'django.contrib.staticfiles', 'shop']
STATIC_URL = '/static/'
USE_I18N = False
DEPENDENCIES = Path(django.__file__).parent
"""
# Into what is collected, so that it would be in the release.
APPEND = """\
for style in (DEPENDENCIES / 'contrib/admin/static/admin/css').glob('base.css'):
    style.chmod(0o644)
    style.write_text(style.read_text() + 'b { color: blue }')
"""
# As root would not be by the system.
REFUSED = """\
if not (DEPENDENCIES / '__init__.py').stat().st_mode & 0o200:
    raise PermissionError('it has to be written')
"""
# Most of Django, which would only have to be compiled and written.
UNUSED = ["django/conf/locale/*/**", "django/contrib/gis/**", "django/contrib/*/locale/**"]
SLOW = "so that every build has to write all of them to disk"


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A Django project that was built, its user's home beside it, and what is to be built of it."""
    folder = tmp_path_factory.mktemp("shop")
    made = Site(folder / "shop")
    made.write(
        {
            "castoff.toml": f"[apps.shop.build]\nformat = 'tarball'\nprune = {UNUSED}\n"
            "[apps.shop.assets]\ncollectstatic = true\n"
            "env = { DJANGO_SETTINGS_MODULE = 'shop.settings' }\n",
            "requirements.txt": lock("django==5.2.8"),
            "shop/__init__.py": "",
            "shop/settings.py": SETTINGS,
            "shop/static/own.css": "a { color: red }\n",
        }
    )
    made.commit("a shop")
    wanted = without_tree(made)
    assert trees(made) == []
    shutil.rmtree(made.folder / "artifacts")
    return folder, wanted


@pytest.fixture
def wanted(shop: tuple[Path, str]) -> str:
    return shop[1]


@pytest.fixture
def site(shop: tuple[Path, str], tmp_path: Path) -> Site:
    """That project, of which the cache has all but the tree."""
    shutil.rmtree(tmp_path)
    shutil.copytree(shop[0], tmp_path, symlinks=True)
    made = Site.__new__(Site)
    made.folder, made.home, made.variables = tmp_path / "shop", tmp_path / "home", {}
    return made


def build(site: Site) -> Outcome:
    shutil.rmtree(site.folder / "artifacts", ignore_errors=True)
    outcome = site.castoff("build", "--version", "1.0", "--json")
    assert outcome.code == 0, outcome.err
    return outcome


def digest(outcome: Outcome) -> str:
    """Return the digest of all that was built."""
    files = [Path(outcome.json[name]) for name in ("archive", "manifest")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def trees(site: Site) -> list[Path]:
    return [path for path in (site.home / ".cache/castoff/trees").glob("*/*") if path.is_dir()]


def without_tree(site: Site) -> str:
    """Build with a cache that has all but room for a tree."""
    site.variables["CASTOFF_CACHE_SIZE"] = "60M"
    outcome = build(site)
    del site.variables["CASTOFF_CACHE_SIZE"]
    return digest(outcome)


def append(path: Path) -> None:
    path.chmod(0o644)
    with path.open("a") as file:
        file.write("\nb { color: green }\n")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "what is collected": lambda tree: append(
        tree / "lib/django/contrib/admin/static/admin/css/base.css"
    ),
    "what is loaded": lambda tree: (tree / "lib/django/conf/__init__.py").unlink(),
    "something more": lambda tree: (
        tree / "lib/django/contrib/admin/static/admin/more.css"
    ).write_text("i { color: green }"),
    "no tree": lambda tree: shutil.rmtree(tree / "lib"),
    "no seal": lambda tree: (tree / "seal").unlink(),
    "half a seal": lambda tree: os.truncate(tree / "seal", 20),
    "nothing": shutil.rmtree,
}


SAMPLE = "what is collected"


def check_damage(site: Site, wanted: str, damages: Iterable[str]) -> None:
    assert digest(build(site)) == wanted
    (tree,) = trees(site)
    made = tree.stat()
    outcome = build(site)
    assert digest(outcome) == wanted
    assert "warning" not in outcome.err
    assert (trees(site), tree.stat().st_ctime_ns) == ([tree], made.st_ctime_ns)
    for what in damages:
        DAMAGE[what](tree)
        outcome = build(site)
        assert digest(outcome) == wanted, what
        assert SLOW not in outcome.err
        assert trees(site) == [tree]
        assert tree.stat().st_ctime_ns > made.st_ctime_ns, what
        made = tree.stat()


def test_the_same_tree_serves_builds_until_it_is_damaged(site: Site, wanted: str) -> None:
    check_damage(site, wanted, [SAMPLE])


@pytest.mark.sweep
def test_any_damage_is_mended(site: Site, wanted: str) -> None:
    check_damage(site, wanted, DAMAGE)
    site.variables["CASTOFF_CACHE_SIZE"] = "0"
    assert digest(build(site)) == wanted
    site.variables.clear()
    # A change of the app's has nothing to do with it.
    (tree,) = trees(site)
    made = tree.stat()
    site.write({"shop/static/own.css": "a { color: blue }\n"})
    site.commit("blue")
    assert digest(build(site)) == without_tree(site) != wanted
    assert (trees(site), tree.stat().st_ctime_ns) == ([tree], made.st_ctime_ns)


@pytest.mark.parametrize(
    "code", [APPEND, pytest.param(REFUSED, marks=pytest.mark.sweep)], ids=["appends", "refused"]
)
def test_code_that_changes_its_dependencies_gets_a_copy_of_its_own(site: Site, code: str) -> None:
    build(site)
    (tree,) = trees(site)
    base = tree / "lib/django/contrib/admin/static/admin/css/base.css"
    original = base.read_bytes()
    site.write({"shop/settings.py": SETTINGS + code})
    site.commit("writes what it should not")
    wanted = without_tree(site)
    for _ in range(2):
        outcome = build(site)
        assert digest(outcome) == wanted
        assert SLOW in outcome.err
    # It was found changed and has gone, or is as it was.
    assert all((one / base.relative_to(tree)).read_bytes() == original for one in trees(site))


def test_what_fails_for_another_reason_is_told_as_ever(site: Site) -> None:
    site.write({"shop/settings.py": SETTINGS + "raise ValueError('no such setting')\n"})
    site.commit("broken")
    outcome = site.castoff("build", "--version", "1.0")
    assert outcome.code == ExitCode.BUILD
    assert "collectstatic failed with exit code 1" in outcome.err
    assert outcome.err.count("ValueError: no such setting") == 1
    assert SLOW not in outcome.err
    assert not list((site.folder / "artifacts").glob("*"))


def test_a_cache_that_is_too_small_for_a_tree_is_gone_without(site: Site, wanted: str) -> None:
    assert without_tree(site) == wanted
    assert trees(site) == []
    stages = site.castoff("cache", "--json").json["stages"]
    assert stages["trees"] == {"entries": 0, "size": 0}
    assert stages["dependencies"]["entries"] == 1


@pytest.mark.sweep
def test_builds_at_once_and_prunings_change_nothing(site: Site, wanted: str) -> None:
    found: list[str] = []

    def work() -> None:
        for _ in range(3):
            outcome = site.castoff("build", "--version", "1.0", "--json")
            assert outcome.code == 0, outcome.err
            found.append(digest(outcome))
            prune(site.home / ".cache/castoff", 0)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 9
    assert trees(site) == []
