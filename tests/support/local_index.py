"""A package index of a test's own (PEP 503) over HTTP, with wheels and sources made by hand."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from packaging.utils import canonicalize_name

# A back end in the source itself, so that building needs nothing from any index.
_BACKEND = """\
import os, zipfile

def get_requires_for_build_wheel(settings=None):
    return []

def prepare_metadata_for_build_wheel(folder, settings=None):
    name = "{name}-{version}.dist-info"
    os.mkdir(os.path.join(folder, name))
    with open(os.path.join(folder, name, "METADATA"), "w") as file:
        print("Metadata-Version: 2.1", "Name: {name}", "Version: {version}", sep=chr(10), file=file)
    return name

def build_wheel(folder, settings=None, metadata=None):
    if "BUILD_LOG" in os.environ:
        raise SystemExit("variables of the caller came through")
    name = "{name}-{version}-py3-none-any.whl"
    files = {{
        "{name}.py": "BUILT_AT = %r\\n" % os.environ["SOURCE_DATE_EPOCH"]
        + "TOLD = %r\\n" % sorted((settings or {{}}).items()),
        "{name}-{version}.dist-info/METADATA": "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
        "{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    files["{name}-{version}.dist-info/RECORD"] = "".join(f"{{n}},,\\n" for n in files)
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    with open({log!r}, "a") as log:
        log.write("built {name}\\n")
    return name
"""  # noqa: E501


def wheel(
    name: str,
    version: str,
    files: Mapping[str, str | bytes],
    *,
    tag: str = "py3-none-any",
    requires: tuple[str, ...] = (),
    entry_points: str = "",
) -> tuple[str, bytes]:
    """Return a wheel's file name and bytes."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    content: dict[str, str | bytes] = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    if entry_points:
        content[f"{info}/entry_points.txt"] = entry_points
    content[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*content, f"{info}/RECORD"))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in content.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{name}-{version}-{tag}.whl", made.getvalue()


def sdist(name: str, version: str, *, log: str) -> tuple[str, bytes]:
    """Return the name and bytes of a source distribution whose back end writes to a log."""
    top = f"{name}-{version}"
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "own"\n'
        'backend-path = ["."]\n',
        "own.py": _BACKEND.format(name=name, version=version, log=log),
    }
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{top}/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return f"{top}.tar.gz", made.getvalue()


@dataclass
class Index:
    """What it serves, and what it was asked for."""

    files: dict[str, bytes]
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def requirement(self, *names: str) -> str:
        """Return lines of a lock for files by name, with their hashes."""
        return "".join(
            f"{name.split('-')[0]}=={name.removesuffix('.tar.gz').split('-')[1]} "
            f"--hash=sha256:{hashlib.sha256(self.files[name]).hexdigest()}\n"
            for name in names
        )

    def pylock(self, *names: str) -> str:
        """Return a lock as PEP 751 has it of files by name; those of one package side by side."""
        lines = ['lock-version = "1.0"', 'created-by = "test"']
        package = ""
        for name in names:
            first, version = name.removesuffix(".tar.gz").split("-")[:2]
            if package != first:
                lines += ["[[packages]]", f'name = "{first}"', f'version = "{version}"']
            package = first
            lines += ["[packages.sdist]" if name.endswith(".gz") else "[[packages.wheels]]"]
            digest = hashlib.sha256(self.files[name]).hexdigest()
            url = f"http://{self.host}/files/{name}"
            lines += [f'url = "{url}"', f'hashes = {{ sha256 = "{digest}" }}']
        return "\n".join(lines)

    def environment(self, home: object) -> dict[str, str]:
        """Return the environment of a user who has this index alone, and caches of his own."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("UV_", "PIP_", "XDG_", "CASTOFF_"))
        }
        return {
            **kept,
            "HOME": str(home),
            "UV_DEFAULT_INDEX": self.url,
            "UV_NO_CONFIG": "1",
            "UV_HTTP_RETRIES": "0",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_RETRIES": "1",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }


@contextmanager
def local_index(*files: tuple[str, bytes], status: int = 200) -> Iterator[Index]:
    """Serve some files while the block lasts; with a status other than 200, only that."""
    index = Index(dict(files))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(self.path)
            body = index.files.get(self.path.rpartition("/")[2]) if status == 200 else b""
            kind = "application/octet-stream"
            if body is None:
                kind, body = "text/html", _page(index, self.path.strip("/").rpartition("/")[2])
            tag = f'"{hashlib.sha256(body).hexdigest()}"'
            if status == 200 and self.headers.get("If-None-Match") == tag:
                self.send_response(304)
                self.send_header("ETag", tag)
                self.end_headers()
                return
            self.send_response(status if body or status != 200 else 404)
            self.send_header("ETag", tag)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        index.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield index
        finally:
            server.shutdown()
            thread.join()


def _page(index: Index, project: str) -> bytes:
    links = [
        f'<a href="/files/{name}#sha256={hashlib.sha256(data).hexdigest()}">{name}</a>'
        for name, data in index.files.items()
        if canonicalize_name(name.split("-")[0]) == project
    ]
    return "".join(links).encode()
