"""What a host fetches of a zipapp as builds make it, when it has the version before."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path
from typing import Any

from castoff.builder.build import BuildResult
from castoff.releaser.agent.ranges import coalesced, members_of, size_of
from castoff.releaser.agent.table import Table, parse_table
from castoff.store.local_artifact import load_local
from support.agent_client import agent
from support.builds import DEMO, DEPENDENCIES, lock, make_repository
from support.flaky_http import flaky_server


def request_of(result: BuildResult, url: str) -> dict[str, Any]:
    version = result.manifest.version
    local = load_local(result.archive.parent, "demo", version)
    return {
        "version": version,
        "release": "r1",
        "manifest": result.manifest.to_bytes().decode(),
        "table_z": base64.b64encode(local.table.read_bytes()).decode(),
        "sources": [{"kind": "url", "url": url}],
        "shared": [],
        "interpreter": None,
    }


def table_of(result: BuildResult) -> Table:
    local = load_local(result.archive.parent, "demo", result.manifest.version)
    return parse_table(gzip.decompress(local.table.read_bytes()))


def test_a_host_with_an_older_zipapp_fetches_the_entries_that_changed(
    zipapp: BuildResult, tmp_path: Path
) -> None:
    repository = make_repository(tmp_path / "repository")
    changed = {**DEMO, "demo/main.py": DEMO["demo/main.py"] + "\n# Another line.\n"}
    repository.commit({**changed, "requirements.txt": lock(*DEPENDENCIES)})
    new = repository.build(tmp_path / "built", version="2.0", format="zipapp")

    with agent(tmp_path / "srv/demo") as client:
        with flaky_server(zipapp.archive.read_bytes()) as server:
            whole = client.ask("prepare", **request_of(zipapp, server.url()))
        with flaky_server(new.archive.read_bytes()) as server:
            part = client.ask("prepare", **request_of(new, server.url()))
            asked = [wanted for _, wanted in server.asked]
        assert client.ask("verify", version="2.0")["tree_sha256"] == new.manifest.tree_sha256

    assert whole["fetched"] == zipapp.archive.stat().st_size
    here = {(file.sha256, file.executable) for file in table_of(zipapp).files}
    table = table_of(new)
    lacking = [
        row for row, file in enumerate(table.files) if (file.sha256, file.executable) not in here
    ]
    assert any(table.files.paths[row].endswith("demo/main.py") for row in lacking)
    needed = coalesced(table.members.picked(members_of(table, lacking)))
    assert asked == [f"bytes={start}-{end - 1}" for start, end in needed]
    assert part["fetched"] == size_of(needed) < whole["fetched"] / 4
