"""What only a store in a directory does: it lives through kills, readers and odd directories."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from castoff.store.digest import sha256
from castoff.store.errors import Conflict, ObjectMissing, StoreError
from castoff.store.file import FileStore

KILL_IN_UPLOAD = """
import os, pathlib, signal, sys
from castoff.store.file import FileStore
FileStore(pathlib.Path("store"), url="file://store").upload(
    "a/blob", pathlib.Path("blob"), sha256=sys.argv[1],
    progress=lambda sent: os.kill(os.getpid(), signal.SIGKILL),
)
"""

CREATE_FOR_EVER = """
import itertools, pathlib
from castoff.store.file import FileStore
store = FileStore(pathlib.Path("store"), url="file://store")
tag = store.create("a/pointer", b"0" * 200_000)
print("ready", flush=True)
for number in itertools.count(1):
    data = f"{number % 10}".encode() * 200_000
    store.create(f"a/docs/{number}", data)
    tag = store.replace("a/pointer", data, etag=tag)
"""


def run(code: str, directory: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, text=True)


def test_an_upload_killed_midway_shows_nothing_and_can_be_done_again(
    file_store: FileStore, tmp_path: Path
) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "blob").write_bytes(data)

    with run(KILL_IN_UPLOAD, tmp_path, sha256(data)) as process:
        assert process.wait(30) == -signal.SIGKILL

    assert list((tmp_path / "store/a").iterdir()), "it was killed before it wrote anything"
    assert list(file_store.entries("")) == []
    assert file_store.local_path("a/blob") is None
    file_store.upload("a/blob", tmp_path / "blob", sha256=sha256(data))
    assert (tmp_path / "store/a/blob").read_bytes() == data


@pytest.mark.parametrize("moment", range(8))
def test_a_writer_killed_at_any_moment_leaves_whole_documents(
    file_store: FileStore, tmp_path: Path, moment: int
) -> None:
    with run(CREATE_FOR_EVER, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.02 + 0.0037 * moment)
        process.kill()

    for entry in file_store.entries(""):
        data = file_store.read(entry.key).data
        assert len(data) == 200_000
        assert len(set(data)) == 1
    pointer = file_store.read("a/pointer")
    file_store.replace("a/pointer", b"the lock went with the process", etag=pointer.etag)


def test_readers_never_see_half_a_document(file_store: FileStore) -> None:
    etag = file_store.create("a/doc", b"0" * 300_000)
    torn: list[int] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            data = file_store.read("a/doc").data
            if len(data) != 300_000 or len(set(data)) != 1:
                torn.append(len(data))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(100):
        etag = file_store.replace("a/doc", f"{number % 10}".encode() * 300_000, etag=etag)
    stop.set()
    for reader in readers:
        reader.join()

    assert torn == []


def test_threads_of_one_process_exclude_each_other(file_store: FileStore) -> None:
    file_store.create("counter", b"0")

    def count() -> None:
        for _ in range(20):
            while True:
                seen = file_store.read("counter")
                try:
                    file_store.replace("counter", f"{int(seen.data) + 1}".encode(), etag=seen.etag)
                except Conflict:
                    continue
                break

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert file_store.read("counter").data == b"80"


def test_what_killed_uploads_left_goes_after_a_day(file_store: FileStore, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"content")
    file_store.create("a/doc", b"")
    folder = tmp_path / "store/a"
    for name, hours in ((".~old", 25), (".~new", 23), ("kept-by-a-user", 999)):
        (folder / name).write_bytes(b"half")
        then = time.time() - 3600 * hours
        os.utime(folder / name, (then, then))

    file_store.upload("a/blob", tmp_path / "blob", sha256=sha256(b"content"))

    names = {path.name for path in folder.iterdir()}
    assert names == {"doc", "blob", ".~new", "kept-by-a-user"}


def test_the_umask_alone_says_who_may_read(file_store: FileStore, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        etag = file_store.create("a/doc", b"")
        file_store.replace("a/doc", b"more", etag=etag)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "store/a/doc").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "store/a").stat().st_mode) == 0o750


def test_a_file_in_the_place_of_the_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a directory")
    store = FileStore(tmp_path / "store", url="file://store")

    with pytest.raises(StoreError, match=f"file://store: a/doc: {tmp_path}/store") as caught:
        store.create("a/doc", b"")

    assert type(caught.value) is StoreError
    assert str(tmp_path / "store") in caught.value.hint
    with pytest.raises(ObjectMissing):
        store.read("a/doc")


def test_a_store_that_may_not_be_written_says_so(file_store: FileStore, tmp_path: Path) -> None:
    file_store.create("a/doc", b"")
    (tmp_path / "store/a").chmod(0o555)
    user = os.geteuid()
    if user == 0:  # root may write everywhere
        os.seteuid(65534)
    try:
        with pytest.raises(StoreError, match="Permission denied") as caught:
            file_store.create("a/other", b"")
    finally:
        os.seteuid(user)

    assert "read and write" in caught.value.hint


def test_a_full_disk_is_told_of_without_a_name_that_there_is_not(
    file_store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", write)
    with pytest.raises(StoreError) as refused:
        file_store.create("key", b"data")
    assert refused.value.message.endswith(": key: No space left on device")
    assert "Make room" in refused.value.hint


def test_objects_keep_no_trace_of_how_they_were_written(
    file_store: FileStore, tmp_path: Path
) -> None:
    etag = file_store.create("a/doc", b"first")
    with pytest.raises(Conflict):
        file_store.create("a/doc", b"second")
    with pytest.raises(Conflict):
        file_store.replace("a/doc", b"second", etag="stale")
    file_store.replace("a/doc", b"second", etag=etag)

    assert {path.name for path in (tmp_path / "store/a").iterdir()} == {"doc", ".~lock"}
    assert (tmp_path / "store/a/doc").stat().st_nlink == 1
