"""A real MariaDB server on a free port, with a socket in a folder of its own."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.ports import free_ports
from support.servers import folder_of_a_server, run, start, wait_until

PASSWORD = "p@ss/w:rd ü"


@dataclass(frozen=True)
class MariaDb:
    """A running server; `admin` may do everything, by way of the socket and without a password."""

    port: int
    socket: Path

    def sql(self, text: str, database: str = "") -> str:
        """Run statements; return what is printed, a line a row."""
        argv = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=admin"]
        argv += ["--default-character-set=utf8mb4", "-BN", *([database] if database else [])]
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def create(self, name: str) -> dict[str, str]:
        """Make a login and a database for it; return the variables that lead there."""
        self.sql(
            f"CREATE DATABASE {name}; CREATE USER {name}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';"
            f"GRANT ALL ON `{name}%`.* TO {name}@'127.0.0.1'"
        )
        return {
            "MYSQL_HOST": "127.0.0.1",
            "MYSQL_TCP_PORT": str(self.port),
            "MYSQL_USER": name,
            "MYSQL_DATABASE": name,
            "MYSQL_PWD": PASSWORD,
        }

    def fresh(self) -> dict[str, str]:
        """Return `create` with a name that is new."""
        return self.create(f"shop_{secrets.token_hex(4)}")

    def databases(self) -> set[str]:
        """Return the names of all databases."""
        return set(self.sql("SHOW DATABASES").splitlines())


def available() -> bool:
    """Whether Debian's packages are there."""
    return all(_found(name) for name in ("mariadbd", "mariadb-install-db", "mariadb"))


@contextmanager
def mariadb_server() -> Iterator[MariaDb]:
    """Run a server until the context ends."""
    with folder_of_a_server("maria-") as folder:
        data, log, socket = folder / "data", folder / "log", folder / "s"
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db"]
        # Many servers at once may ask for more of the kernel's asynchronous writing than it has.
        install += ["--auth-root-authentication-method=normal", "--innodb-use-native-aio=0"]
        run([*install, "--skip-name-resolve"], log)
        (port,) = free_ports(1)
        options = {
            "datadir": data,
            "port": port,
            "bind-address": "127.0.0.1",
            "socket": socket,
            "pid-file": folder / "pid",
            "innodb-flush-log-at-trx-commit": 0,
            "innodb-use-native-aio": 0,
            "innodb-buffer-pool-size": "32M",
            "innodb-log-file-size": "8M",
            "log-bin-trust-function-creators": 1,
        }
        settings = [f"--{key}={value}" for key, value in options.items()]
        process = start([_found("mariadbd") or "", "--no-defaults", *settings], log)
        try:
            wait_until(lambda: _answers(socket), process, log)
            server = MariaDb(port, socket)
            _root(
                socket,
                "CREATE USER admin@localhost IDENTIFIED BY '';"
                "GRANT ALL ON *.* TO admin@localhost WITH GRANT OPTION",
            )
            yield server
        finally:
            process.kill()
            process.wait(timeout=30)


def _answers(socket: Path) -> bool:
    return socket.exists() and _root(socket, "SELECT 1", check=False)


def _root(socket: Path, text: str, *, check: bool = True) -> bool:
    argv = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root"]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.returncode == 0


def _found(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")
