"""Back-ups as the agent makes and restores them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import subprocess
import time
from pathlib import Path

import pytest

from support.agent_client import AgentFailure, agent
from support.archives import Artifact
from support.backup_data import Data, back_up, files_in, kinds, listed, opened, restore

every_kind = kinds("postgresql", "mariadb", "sqlite", "files")


@pytest.fixture
def root(root: Path, shop: Artifact) -> Path:
    with agent(root) as client:
        client.ask("prepare", archive=shop.archive, **shop.request())
        client.ask("activate", version="1.0", release="r1")
    return root


@every_kind
def test_what_was_backed_up_comes_back_and_what_it_replaces_is_kept(root: Path, data: Data) -> None:
    before = data.rows()
    with opened(root) as client:
        made = back_up(client, data)
        data.change("later")
        after = data.rows()
        assert after != before
        there = data.others()
        restored = restore(client, data, made)
        assert data.rows() == before
        kept = data.others() - there
        assert len(kept) == 1, "what was replaced is there, and nothing else"
        assert next(iter(kept)).endswith(restored["kept"])
        assert next(iter(kept)) in restored["undo"]
        # And again: what it is called is its own.
        data.change("later still")
        time.sleep(1)
        restore(client, data, made)
        assert data.rows() == before
        data.change("works on")


@kinds("sqlite", sweep=("postgresql", "mariadb", "files"))
def test_a_back_up_is_described_and_only_its_owner_can_read_it(root: Path, data: Data) -> None:
    with opened(root) as client:
        made = back_up(client, data)
        one = made["description"]
        assert listed(client, data) == [one["id"]]
    folder = root / "backups"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert files_in(root) == sorted([one["file"], f"{one['id']}.json"])
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    assert json.loads((folder / f"{one['id']}.json").read_text()) == one
    assert one["size"] == (folder / one["file"]).stat().st_size
    assert (one["version"], one["coming"], one["step"]) == ("1.0", None, "db")
    assert one["tool"]


@kinds("postgresql", "files", sweep=("mariadb", "sqlite"))
@pytest.mark.parametrize("harm", ["cut short", "a bit flipped"])
def test_a_damaged_back_up_is_refused_and_nothing_is_touched(
    root: Path, data: Data, harm: str
) -> None:
    with opened(root) as client:
        made = back_up(client, data)
        path = root / "backups" / made["description"]["file"]
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content if harm == "a bit flipped" else content[:-1])
        data.change("later")
        before, there = data.rows(), data.others()
        with pytest.raises(AgentFailure) as caught:
            restore(client, data, made)
        assert caught.value.code == "corrupt"
        assert path.name in caught.value.message
        assert (data.rows(), data.others()) == (before, there)


@every_kind
def test_what_passes_the_check_sum_but_is_no_back_up_never_takes_the_datas_place(
    root: Path, data: Data
) -> None:
    with opened(root) as client:
        made = back_up(client, data)
        path = root / "backups" / made["description"]["file"]
        content = path.read_bytes()
        rubbish = gzip.compress(b"CREATE TABLE half (id int); rubbish;\n" * 99)
        path.write_bytes(rubbish if data.options["kind"] != "postgresql" else content[:-900])
        one = made["description"]
        one["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        one["size"] = path.stat().st_size
        data.change("later")
        before, there = data.rows(), data.others()
        with pytest.raises(AgentFailure) as caught:
            restore(client, data, made)
        assert caught.value.code in ("corrupt", "step-failed")
        assert (data.rows(), data.others()) == (before, there)


@kinds("files", sweep=("postgresql", "mariadb", "sqlite"))
def test_old_back_ups_and_what_unfinished_ones_left_go(root: Path, data: Data) -> None:
    with opened(root) as client:
        made = [back_up(client, data, options={"keep": 2})["description"]["id"] for _ in range(2)]
        folder = root / "backups"
        (folder / ".20200101-000000-db-abcdef.partial").write_text("half")
        (folder / "20200101-000000-db-abcdef.dump").write_text("without a description")
        (folder / "own.txt").write_text("somebody's own")
        last = back_up(client, data, options={"keep": 2})
        assert last["removed"] == made[:1]
        assert len(listed(client, data)) == 2
        assert last["description"]["id"] in listed(client, data)
    assert "own.txt" in files_in(root)
    assert len(files_in(root)) == 5


@kinds("files")
def test_neither_a_clock_nor_a_damaged_description_costs_a_back_up(root: Path, data: Data) -> None:
    with opened(root) as client:
        ahead, other = (back_up(client, data)["description"] for _ in range(2))
        folder = root / "backups"
        # Made when the host's clock was years ahead.
        (folder / f"{ahead['id']}.json").write_text(json.dumps({**ahead, "time": 4e9}))
        (folder / f"{other['id']}.json").write_text("{")
        last = back_up(client, data, options={"keep": 1})
        assert last["removed"] == [ahead["id"]]
        assert listed(client, data) == [last["description"]["id"], other["id"]]
        assert (folder / other["file"]).exists()


@kinds("sqlite", sweep=("postgresql", "mariadb", "files"))
def test_a_back_up_goes_by_way_of_the_controller_and_comes_back(root: Path, data: Data) -> None:
    before = data.rows()
    store = {"to": "store"}
    with opened(root) as client:
        made = back_up(client, data, options=store)
        parts = [e["data"] for e in client.events if e["event"] == "data"]
        archive = b"".join(base64.b64decode(part) for part in parts)
        assert hashlib.sha256(archive).hexdigest() == made["description"]["sha256"]
        assert not (root / "backups").exists(), "nothing of it lies on the host"
        data.change("later")
        there = data.rows()
        with pytest.raises(AgentFailure) as caught:
            restore(client, data, made, options=store, archive=archive[:-1])
        assert caught.value.code == "fetch"
        assert data.rows() == there
        restore(client, data, made, options=store, archive=archive)
        assert data.rows() == before
        assert files_in(root) == []


@kinds("postgresql", sweep=("mariadb", "sqlite", "files"))
def test_an_encrypted_back_up_needs_its_identity(root: Path, data: Data, tmp_path: Path) -> None:
    subprocess.run(["age-keygen", "-o", tmp_path / "key"], check=True, capture_output=True)
    identity = (tmp_path / "key").read_text()
    recipient = identity.split("public key: ")[1].splitlines()[0]
    other = subprocess.run(["age-keygen"], check=True, capture_output=True, text=True).stdout
    before = data.rows()
    with opened(root) as client:
        made = back_up(client, data, options={"recipients": [recipient]})
        path = root / "backups" / made["description"]["file"]
        assert path.read_bytes().startswith(b"age-encryption.org/v1")
        data.change("later")
        there = (data.rows(), data.others())
        for wrong in (None, other):
            with pytest.raises(AgentFailure):
                restore(client, data, made, identity=wrong)
            assert (data.rows(), data.others()) == there
        restore(client, data, made, identity=identity)
        assert data.rows() == before
