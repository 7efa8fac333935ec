"""Back up and restore a database of PostgreSQL, by its own programs."""

from __future__ import annotations

from ..command import clean_environment
from ..errors import AgentError
from .database import SqlDatabase, database_name, url_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layout import Layout
    from ..parameters import Parameters
    from .deadline import Deadline

SUFFIX = ".dump"

_SCHEMES = ("postgresql", "postgres")
# libpq's variables, by what its URLs call them (PostgreSQL's manual, "Environment Variables").
_OPTIONS = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "host": "PGHOST",
    "port": "PGPORT",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "options": "PGOPTIONS",
}
# Where somebody can be while a database is renamed.
_ELSEWHERE = "postgres"
# How often the swap is tried: whoever connects between the last farewell and the lock is in its
# way, and PostgreSQL itself waits five seconds for such.
_TRIES = 5

# What belongs to a database and not into an archive of its content: settings, and who may use it.
_LIKE = """
SELECT format('ALTER DATABASE %I SET %I TO %s', :'new', name, CASE
           WHEN name IN ('search_path', 'temp_tablespaces', 'session_preload_libraries',
                         'local_preload_libraries') THEN value ELSE quote_literal(value) END)
  FROM pg_db_role_setting s, pg_database d, unnest(setconfig) item,
       LATERAL (SELECT split_part(item, '=', 1), substr(item, strpos(item, '=') + 1))
           AS parts(name, value)
 WHERE d.oid = s.setdatabase AND d.datname = :'old' AND s.setrole = 0
UNION ALL
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'new')
  FROM pg_database WHERE datname = :'old' AND datacl IS NOT NULL
UNION ALL
SELECT format('GRANT %s ON DATABASE %I TO %s%s', acl.privilege_type, :'new',
              CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END,
              CASE WHEN acl.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM pg_database d, aclexplode(datacl) acl WHERE d.datname = :'old' AND datacl IS NOT NULL
\\gexec"""
_CREATE = """
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING %L LC_COLLATE %L'
              ' LC_CTYPE %L', :'new', pg_get_userbyid(datdba), pg_encoding_to_char(encoding),
              datcollate, datctype)
  FROM pg_database WHERE datname = :'old'
\\gexec"""
_SWAP = """
SELECT count(pg_terminate_backend(pid)) AS ended FROM pg_stat_activity
 WHERE datname IN (:'old', :'new') AND pid <> pg_backend_pid() \\gset
BEGIN;
ALTER DATABASE :"old" RENAME TO :"kept";
ALTER DATABASE :"new" RENAME TO :"old";
COMMIT;"""
_MAY = """
SELECT rolsuper OR (rolcreatedb AND pg_has_role(datdba, 'MEMBER'))
  FROM pg_roles, pg_database WHERE rolname = current_user AND datname = :'old';"""


class Database(SqlDatabase):
    """One database, as a step's options and variables say it."""

    def __init__(self, layout: Layout, parameters: Parameters, options: Parameters) -> None:
        """Find out which; connects to nothing.

        Raises:
            AgentError: `invalid`: the options or variables do not say it.
        """
        variables = parameters.variables("env")
        url = url_of(options, variables, _SCHEMES)
        name = database_name(options, url, variables, "PGDATABASE")
        environment = clean_environment(layout, parameters.version("version"), variables)
        # Nobody is there to be asked for anything, and a server that does not answer is no wait.
        environment.setdefault("PGCONNECT_TIMEOUT", "15")
        environment["PGAPPNAME"] = "castoff"
        if url is not None:
            given = {
                "PGHOST": url.host,
                "PGPORT": url.port,
                "PGUSER": url.user,
                "PGPASSWORD": url.password,
                **{_OPTIONS[key]: text for key, text in url.options.items() if key in _OPTIONS},
            }
            environment.update({key: text for key, text in given.items() if text is not None})
        super().__init__(name, {**environment, "PGDATABASE": name}, parameters.text_or_none("user"))

    def tool(self, deadline: Deadline) -> str:
        """Return the name and version of what makes the back-up."""
        return self._run(["pg_dump", "--version"], deadline).strip()

    def dump(self, deadline: Deadline) -> Iterator[bytes]:
        """Yield an archive in PostgreSQL's own format, which is compressed already.

        Raises:
            AgentError: `step-failed`: pg_dump's last words; `step-timeout`; `missing`.
        """
        argv = ["pg_dump", "--format=custom", "--no-password", "--dbname", self.name]
        with self._program(argv, deadline) as program:
            yield from program.gives()

    def ready(self, deadline: Deadline) -> None:
        """Return if the database can be replaced.

        Raises:
            AgentError: `permission`: this login may not create databases, or does not own this
                one. `step-failed`: it cannot be reached.
        """
        answer = self._sql(_MAY, deadline, where=_ELSEWHERE, old=self.name).strip()
        if answer != "t":
            role = self._environment.get("PGUSER", "this login")
            why = "there is no such database" if not answer else f"{role} may not replace it"
            raise AgentError(
                "permission" if answer else "missing",
                f"the database {self.name} cannot be restored: {why}",
                f"A restore creates a database beside it and renames both: ALTER ROLE {role} "
                f"CREATEDB, and {role} has to own {self.name}; or name another login."
                if answer
                else "Create it, empty; then restore.",
            )

    def load(self, blocks: Iterator[bytes], beside: str, deadline: Deadline) -> None:
        """Fill a new database beside this one; what an earlier try left of it goes first.

        Raises:
            AgentError: `step-failed`, with pg_restore's last words.
        """
        self._sql(f'DROP DATABASE IF EXISTS "{beside}";', deadline, where=_ELSEWHERE)
        names = {"old": self.name, "new": beside}
        self._sql(_CREATE, deadline, where=_ELSEWHERE, **names)
        argv = ["pg_restore", "--no-password", "--exit-on-error", "--dbname", beside]
        with self._program(argv, deadline, takes=True) as program:
            for _ in program.turns(blocks):
                pass
        self._sql(_LIKE, deadline, where=_ELSEWHERE, **names)

    def swap(self, beside: str, kept: str, deadline: Deadline) -> str:
        """Let the two change names, both or none; return how to go back.

        Whoever is connected is sent away, and finds the restored one when coming back.

        Raises:
            AgentError: `step-failed`: somebody cannot be sent away.
        """
        names = {"old": self.name, "new": beside, "kept": kept}
        for tried in range(1, _TRIES + 1):
            try:
                self._sql(_SWAP, deadline, where=_ELSEWHERE, **names)
                break
            except AgentError as error:
                if "is being accessed by other users" not in error.message or tried == _TRIES:
                    raise
        away = f"{self.name}_undone"
        return (
            f'psql -d {_ELSEWHERE} -c \'ALTER DATABASE "{self.name}" RENAME TO "{away}"\' '
            f'-c \'ALTER DATABASE "{kept}" RENAME TO "{self.name}"\' (with nobody connected)'
        )

    def drop(self, beside: str, deadline: Deadline) -> None:
        """Take away what a failed restore has made."""
        self._sql(f'DROP DATABASE IF EXISTS "{beside}";', deadline, where=_ELSEWHERE)

    def _sql(self, text: str, deadline: Deadline, *, where: str, **names: str) -> str:
        argv = ["psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--no-password"]
        argv += ["--set=ON_ERROR_STOP=1", "--dbname", where]
        argv += [f"--set={key}={name}" for key, name in names.items()]
        return self._run(argv, deadline, given=f"{text}\n".encode())
