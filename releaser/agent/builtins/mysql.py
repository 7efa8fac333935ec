"""Back up and restore a database of MariaDB or MySQL, by its own programs."""

from __future__ import annotations

import shutil
from contextlib import suppress

from ..command import clean_environment
from ..errors import AgentError
from .database import SqlDatabase, database_name, url_of
from .deadline import Deadline
from .gzipped import compressed, decompressed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layout import Layout
    from ..parameters import Parameters

SUFFIX = ".sql.gz"

_SCHEMES = ("mysql", "mariadb")
_CHARSET = "--default-character-set=utf8mb4"
# Rows as one consistent view, without locks; code of the database too.
_DUMP = ("--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob")
# Seconds that tables may be in use by others when they are to move; and for making again what went
# before that failed.
_LOCKED, _MEND = 30, 60
# What is not a table, and so cannot be renamed into another database.
_CODE = (
    *("--no-data", "--no-create-info", "--routines", "--events", "--triggers"),
    "--add-drop-trigger",
)


class Database(SqlDatabase):
    """One database, as a step's options and variables say it."""

    def __init__(self, layout: Layout, parameters: Parameters, options: Parameters) -> None:
        """Find out which; connects to nothing.

        Raises:
            AgentError: `invalid`: the options or variables do not say it.
        """
        variables = parameters.variables("env")
        url = url_of(options, variables, _SCHEMES)
        name = database_name(options, url, variables, "MYSQL_DATABASE")
        host, port = variables.get("MYSQL_HOST"), variables.get("MYSQL_TCP_PORT")
        login, password = variables.get("MYSQL_USER"), variables.get("MYSQL_PWD")
        socket = variables.get("MYSQL_UNIX_PORT")
        if url is not None:
            host, port, login = url.host or host, url.port or port, url.user or login
            password = url.password or password
            socket = url.options.get("unix_socket") or url.options.get("socket") or socket
        given = {"host": host, "port": port, "user": login, "socket": socket}
        if socket:
            given["host"] = given["port"] = None
        self._login = [f"--{key}={text}" for key, text in given.items() if text]
        environment = clean_environment(layout, parameters.version("version"), variables)
        self._defaults: list[str] = []
        if password is not None:
            # The one place that is neither an argument nor a file; a password in a `.my.cnf` would
            # be taken before it.
            environment["MYSQL_PWD"] = password
            self._defaults = ["--no-defaults"]
        super().__init__(name, environment, parameters.text_or_none("user"))

    def tool(self, deadline: Deadline) -> str:
        """Return the name and version of what makes the back-up."""
        return self._run([self._found("mariadb-dump", "mysqldump"), "--version"], deadline).strip()

    def dump(self, deadline: Deadline) -> Iterator[bytes]:
        """Yield statements that make the database anew, compressed.

        Raises:
            AgentError: `step-failed`: the program's last words; `step-timeout`; `missing`.
        """
        argv = [*self._dump(deadline), *_DUMP, self.name]
        with self._program(argv, deadline) as program:
            yield from compressed(program.gives())

    def ready(self, deadline: Deadline) -> None:
        """Return if the database is there; what may be done with others only trying shows.

        Raises:
            AgentError: `step-failed`: it cannot be reached.
        """
        self._sql("SELECT 1", deadline, self.name)

    def load(self, blocks: Iterator[bytes], beside: str, deadline: Deadline) -> None:
        """Fill a new database beside this one; what an earlier try left of it goes first.

        Raises:
            AgentError: `step-failed`, with the program's last words; `corrupt`.
        """
        like = self._rows(
            "SELECT default_character_set_name, default_collation_name "
            "FROM information_schema.schemata WHERE schema_name = DATABASE()",
            deadline,
            self.name,
        )
        charset, collation = like[0]
        self.drop(beside, deadline)
        self._sql(
            f"CREATE DATABASE `{beside}` CHARACTER SET {charset} COLLATE {collation}", deadline
        )
        argv = [*self._client(deadline), beside]
        with self._program(argv, deadline, takes=True) as program:
            for _ in program.turns(decompressed(blocks)):
                pass

    def swap(self, beside: str, kept: str, deadline: Deadline) -> str:
        """Let the tables of the two change places, all or none; return how to go back.

        Databases cannot be renamed here. Triggers and views cannot move with tables: they go, and
        are made again where their tables are then; routines and events likewise.

        Raises:
            AgentError: `step-failed`.
        """
        new, old = self._code(beside, deadline), self._code(self.name, deadline)
        self._sql(f"CREATE DATABASE IF NOT EXISTS `{kept}`", deadline)
        try:
            for name in (self.name, beside):
                self._drop_code(name, deadline)
            self._rename(beside, kept, deadline)
        except BaseException:
            self._mend(old, kept)
            raise
        for name, text in ((self.name, new), (kept, old)):
            self._make_code(name, text, deadline)
        self.drop(beside, deadline)
        return (
            f"back up {self.name} first, then in a client: RENAME TABLE `{self.name}`.t TO a "
            f"database of its own and `{kept}`.t TO `{self.name}`.t, for each table t"
        )

    def drop(self, beside: str, deadline: Deadline) -> None:
        """Take away what a restore has made beside the database."""
        self._sql(f"DROP DATABASE IF EXISTS `{beside}`", deadline)

    def _code(self, name: str, deadline: Deadline) -> str:
        """Return the statements that make views, routines, events and triggers again."""
        text = self._run([*self._dump(deadline), *_CODE, name], deadline)
        views = self._tables(name, "VIEW", deadline)
        if views:
            text = (
                self._run([*self._dump(deadline), "--skip-triggers", name, *views], deadline) + text
            )
        return text

    def _rename(self, beside: str, kept: str, deadline: Deadline) -> None:
        """Move tables, all or none."""
        moves = [
            f"`{source}`.{_quoted(table)} TO `{target}`.{_quoted(table)}"
            for source, target in ((self.name, kept), (beside, self.name))
            for table in self._tables(source, "BASE TABLE", deadline)
        ]
        if moves:
            self._sql(f"SET foreign_key_checks = 0; RENAME TABLE {', '.join(moves)}", deadline)

    def _mend(self, code: str, kept: str) -> None:
        """Make again what went; what is still there, and in use, is passed over."""
        # With time of its own: that the step's is up may be the very failure.
        deadline = Deadline(f"restore of {self.name}", _MEND)
        with suppress(AgentError):
            argv = [*self._client(deadline), "--force", self.name]
            self._run(argv, deadline, given=f"SET lock_wait_timeout = 1;\n{code}".encode())
        with suppress(AgentError):
            # Whatever was heard of it: where tables have moved, they are the data.
            if not self._tables(kept, "BASE TABLE", deadline):
                self.drop(kept, deadline)

    def _make_code(self, name: str, text: str, deadline: Deadline) -> None:
        if text:
            self._run([*self._client(deadline), name], deadline, given=text.encode())

    def _drop_code(self, name: str, deadline: Deadline) -> None:
        triggers = self._rows(
            "SELECT trigger_name FROM information_schema.triggers "
            "WHERE trigger_schema = DATABASE()",
            deadline,
            name,
        )
        events = self._rows(
            "SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE()",
            deadline,
            name,
        )
        views = self._tables(name, "VIEW", deadline)
        gone = [f"TRIGGER `{name}`.{_quoted(row[0])}" for row in triggers]
        gone += [f"EVENT `{name}`.{_quoted(row[0])}" for row in events]
        gone += [f"VIEW `{name}`.{_quoted(view)}" for view in views]
        if gone:
            self._sql("; ".join(f"DROP {one}" for one in gone), deadline)

    def _tables(self, name: str, kind: str, deadline: Deadline) -> list[str]:
        rows = self._rows(
            "SELECT table_name, table_type FROM information_schema.tables "
            "WHERE table_schema = DATABASE() ORDER BY table_name",
            deadline,
            name,
        )
        return [row[0] for row in rows if row[1] == kind]

    def _rows(self, query: str, deadline: Deadline, name: str) -> list[list[str]]:
        return [line.split("\t") for line in self._sql(query, deadline, name).splitlines()]

    def _sql(self, text: str, deadline: Deadline, name: str | None = None) -> str:
        argv = [*self._client(deadline), "--skip-column-names", "--raw", *([name] if name else [])]
        return self._run(argv, deadline, given=text.encode())

    def _client(self, deadline: Deadline) -> list[str]:
        program = self._found("mariadb", "mysql")
        # A server goes on waiting for a lock when its client has left, and would change something
        # when nobody looks any more.
        patience = max(int(min(_LOCKED, deadline.left() / 2)), 1)
        waits = f"--init-command=SET lock_wait_timeout = {patience}"
        return [program, *self._defaults, *self._login, "--batch", waits, _CHARSET]

    def _dump(self, deadline: Deadline) -> list[str]:
        program = self._found("mariadb-dump", "mysqldump")
        words = [program, *self._defaults, *self._login, _CHARSET]
        if "MariaDB" not in self.tool(deadline):
            # MySQL's own writes the server's place in its replication where it has one, and no
            # server takes that which has run these transactions already: this one, for instance.
            words.append("--set-gtid-purged=OFF")
        return words

    def _found(self, *names: str) -> str:
        path = self._environment.get("PATH")
        return next((name for name in names if shutil.which(name, path=path)), names[0])


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
