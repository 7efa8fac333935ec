"""What was looked at for secrets need not be again; what was not, or may not count, is."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.builder import harmless as module
from castoff.builder import secret_content, secrets
from castoff.builder.cache import Cache
from castoff.builder.harmless import Harmless
from castoff.builder.secrets import SecretFound, check_secrets

# Put together here, so that no scanner finds it in this file.
GITHUB = 'token = "ghp_' + "x1Y2" * 9 + '"\n'
FILES = {"app/a.py": "x = 1\n", "app/b.txt": "text\n", "lib/pkg/c.py": "y = 1\n"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "tree"


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are searched."""
    names: list[str] = []
    search = secret_content.lines_in

    def noted(name: str, *rest: object) -> object:
        names.append(name)
        return search(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(secrets, "lines_in", noted)
    return names


def check(tree: Path, cache: Path, *, app: str = "shop") -> int:
    return len(check_secrets(tree, allow=(), harmless=Harmless(Cache(cache), app)))


def test_only_what_changed_is_searched(tree: Path, tmp_path: Path, looked: list[str]) -> None:
    cache = tmp_path / "cache"
    assert check(tree, cache) == 3
    assert sorted(looked) == ["a.py", "b.txt", "c.py"]
    looked.clear()
    assert check(tree, cache) == 3
    assert looked == []
    (tree / "app/a.py").write_text("x = 2\n")
    check(tree, cache)
    assert looked == ["a.py"]


def test_a_secret_is_found_by_every_build(tree: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    check(tree, cache)
    (tree / "app/b.txt").write_text(GITHUB)
    for _ in range(2):
        with pytest.raises(SecretFound, match=r"b\.txt"):
            check(tree, cache)


def test_content_that_is_harmless_elsewhere_is_looked_at(tree: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    # Nobody looks for tokens in packages of others, and a name may tell of secrets.
    (tree / "lib/pkg/c.py").write_text(GITHUB)
    check(tree, cache)
    (tree / "lib/pkg").rename(tree / "project")
    with pytest.raises(SecretFound, match=r"project/c\.py"):
        check(tree, cache)
    (tree / "project/c.py").unlink()
    (tree / "app/b.txt").rename(tree / "app" / ".env")
    with pytest.raises(SecretFound, match=r"\.env"):
        check(tree, cache)


def test_other_rules_and_damage_count_for_nothing(
    tree: Path, tmp_path: Path, looked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    check(tree, cache)
    (entry,) = (cache / "secrets").glob("*/*")
    data = bytearray(entry.read_bytes())
    data[-1] ^= 1
    entry.write_bytes(data)
    looked.clear()
    check(tree, cache)
    assert len(looked) == 3
    monkeypatch.setattr(module, "own_code", lambda *_: ["another"])
    looked.clear()
    check(tree, cache)
    assert len(looked) == 3
