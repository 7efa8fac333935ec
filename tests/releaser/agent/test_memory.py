"""A host needs little memory, however many files a release has."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from castoff.store.filetable import compress
from support.agent_client import AgentClient, agent
from support.archives import Artifact, Content, make_artifact
from support.flaky_http import flaky_server
from support.patched import make_patch

MIB = 1024 * 1024
# An agent with all that it loads, and what it keeps of each file: whether it is there, and so on.
BASE, EACH = 32 * MIB, 10


def files_of(count: int) -> dict[str, Content]:
    folder = "lib/" + "d" * 20 + "/{:03}/" + "e" * 20 + "/"
    return {
        f"{folder.format(n // 200)}file{n:07}.py": b"%d" % n if n % 50 else b""
        for n in range(count)
    }


def peak(client: AgentClient) -> int:
    status = Path(f"/proc/{client.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def told(artifact: Artifact, before: Artifact | None) -> tuple[dict[str, Any], bytes]:
    """Return a request as the controller makes it, and the table that it only speaks of."""
    if before is not None:
        return artifact.told(before), b""
    request = artifact.request()
    table = compress(artifact.table_bytes)
    del request["table_z"]
    digest = hashlib.sha256(table).hexdigest()
    where = {"size": len(table), "sha256": digest, "sources": [{"kind": "controller"}]}
    return {**request, "table": where}, table


def prepared(
    root: Path, artifact: Artifact, before: Artifact | None = None, **changes: Any
) -> tuple[dict[str, Any], int]:
    """Prepare by an agent of its own and put live; return its answer, and its memory's peak."""
    with agent(root) as client:
        request, client.table = told(artifact, before)
        client.patch = changes.pop("patch_data", b"")
        done = client.ask("prepare", archive=artifact.archive, **{**request, **changes})
        most = peak(client)
        client.ask("activate", version=artifact.version, release="r1")
        client.ask("confirm", version=artifact.version, release="r1")
    assert done["tree_sha256"] == artifact.tree_sha256
    return done, most


def changed(files: Mapping[str, Content]) -> dict[str, Content]:
    """Return the files of the next release: some say something else, and some lie elsewhere."""
    found = dict(files)
    for number, path in enumerate(files):
        if 7 <= number < 37:
            found[path] = b"something else"
        elif 60 <= number < 90:
            found[path + "c"] = found.pop(path)
    return found


@pytest.mark.parametrize(
    ("count", "codec"),
    [
        (30_000, "stored"),
        pytest.param(100_000, "stored", marks=pytest.mark.sweep),
        pytest.param(100_000, "gzip", marks=pytest.mark.sweep),
        pytest.param(300_000, "stored", marks=pytest.mark.sweep),
    ],
)
def test_many_files_take_little_memory(count: int, codec: Any, root: Path) -> None:
    files = files_of(count)
    old = make_artifact("1.0", files, codec=codec)
    new = make_artifact("2.0", changed(files), codec=codec)
    bound = BASE + EACH * count
    done, most = prepared(root, old)
    assert done["ways"] == {"archive": len(old.archive)}
    assert most < min(bound, 64 * MIB), f"{most / MIB:.1f} MiB for the first release"
    done, most = prepared(root, new, old)
    assert set(done["ways"]) == {"ranges"}
    assert done["fetched"] < len(old.archive) // 100
    assert most < min(bound, 64 * MIB), f"{most / MIB:.1f} MiB beside another one"
    if count > 100_000:
        with agent(root) as client:
            assert client.ask("verify", version="1.0")["tree_sha256"] == old.tree_sha256
            assert peak(client) < bound, f"{peak(client) / MIB:.1f} MiB to read it again"


@pytest.mark.sweep
def test_many_files_by_url_take_little_memory(root: Path) -> None:
    artifact = make_artifact("1.0", files_of(100_000), codec="stored")
    with flaky_server(artifact.archive) as server:
        _, most = prepared(root, artifact, sources=[{"kind": "url", "url": server.url()}])
    assert most < 64 * MIB, f"{most / MIB:.1f} MiB"


@pytest.mark.sweep
@pytest.mark.skipif(shutil.which("zstd") is None, reason="needs zstd (Debian package zstd)")
def test_a_patch_of_many_files_takes_little_memory(root: Path, tmp_path: Path) -> None:
    files, noise = files_of(100_000), os.urandom(12 * MIB)
    old = make_artifact("1.0", {**files, "lib/big": noise}, codec="stored")
    new = make_artifact("2.0", {**files, "lib/big": noise + b"x"}, codec="stored")
    made = make_patch(old, new, tmp_path)
    prepared(root, old)
    done, most = prepared(root, new, old, patch_data=made.data, **made.offer())
    assert done["ways"] == {"patch": len(made.data)}
    assert most < 64 * MIB, f"{most / MIB:.1f} MiB"


def test_what_was_damaged_among_many_files_is_found_and_fetched(root: Path) -> None:
    artifact = make_artifact("1.0", files_of(12_000), codec="stored")
    prepared(root, artifact)
    release = root / "releases" / "1.0"
    damaged, lost, *_ = (path for path in sorted(files_of(12_000)) if "17" in path)
    more = release / "lib" / "more"
    for path in (damaged, lost):
        (release / path).parent.chmod(0o755)
    (release / damaged).chmod(0o644)
    (release / damaged).write_bytes(b"damaged")
    (release / lost).unlink()
    (release / "lib").resolve().chmod(0o755)
    more.write_bytes(b"")
    with agent(root) as client:
        found = client.ask("verify", version="1.0")
        assert found["changed"] == [damaged]
        assert found["missing"] == [lost]
        assert found["extra"] == ["lib/more"]
        assert found["tree_sha256"] != artifact.tree_sha256
    done, _ = prepared(root, artifact, artifact, exact=True, verify=True)
    assert not done["reused"]
    with agent(root) as client:
        found = client.ask("verify", version="1.0")
        assert not found["changed"] + found["missing"] + found["extra"]
        assert found["tree_sha256"] == artifact.tree_sha256
