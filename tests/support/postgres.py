"""A real PostgreSQL server on a free port, with a socket in a folder of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.ports import free_ports
from support.servers import folder_of_a_server, run, start, wait_until

PASSWORD = "p@ss/w:rd ü"


@dataclass(frozen=True)
class Postgres:
    """A running server; over TCP it wants passwords, by its socket it does not."""

    port: int
    folder: Path
    address: str = "127.0.0.1"

    def sql(self, text: str, database: str = "postgres", user: str = "postgres") -> str:
        """Run statements by way of the socket; return what is printed, a line a row."""
        argv = [_program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder)]
        argv += ["-p", str(self.port), "-U", user, "-d", database, "-f", "-"]
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def create(self, name: str) -> dict[str, str]:
        """Make a login and a database that it owns; return the variables that lead there."""
        self.sql(f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD '{PASSWORD}'")
        self.sql(f"CREATE DATABASE {name} OWNER {name}")
        return {
            "PGHOST": self.address,
            "PGPORT": str(self.port),
            "PGUSER": name,
            "PGDATABASE": name,
            "PGPASSWORD": PASSWORD,
        }

    def fresh(self) -> dict[str, str]:
        """Return `create` with a name that is new."""
        return self.create(f"shop_{secrets.token_hex(4)}")

    def databases(self) -> set[str]:
        """Return the names of all databases."""
        return set(self.sql("SELECT datname FROM pg_database").splitlines())


def available() -> bool:
    """Whether Debian's packages are there."""
    return all(shutil.which(_program(name)) for name in ("initdb", "psql"))


@contextmanager
def postgres_server(address: str = "127.0.0.1") -> Iterator[Postgres]:
    """Run a server until the context ends; it listens on an address, for all of that network."""
    with folder_of_a_server("pg-") as folder:
        data, log = folder / "data", folder / "log"
        run(
            [
                *(_program("initdb"), "-D", str(data), "-U", "postgres", "-E", "UTF8", "--no-sync"),
                *("--locale=C.UTF-8", "--auth-local=trust", "--auth-host=scram-sha-256"),
            ],
            log,
        )
        with (data / "pg_hba.conf").open("a") as rights:
            rights.write("host all all samenet scram-sha-256\n")
        (port,) = free_ports(1)
        options = {
            "port": str(port),
            "listen_addresses": address,
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "16MB",
            "max_connections": "30",
        }
        settings = [f"-c{key}={value}" for key, value in options.items()]
        process = start([_program("postgres"), "-D", str(data), *settings], log)
        server = Postgres(port, folder, address)
        try:
            wait_until(lambda: _answers(server), process, log)
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(timeout=30)


def _answers(server: Postgres) -> bool:
    argv = [_program("pg_isready"), "-q", "-h", str(server.folder), "-p", str(server.port)]
    return subprocess.run(argv, check=False).returncode == 0


def _program(name: str) -> str:
    """Return a program's path: Debian has the server's in a folder of their own."""
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=os.fspath)
    return str(newest[-1]) if newest else shutil.which(name) or name
