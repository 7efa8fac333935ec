"""Which database a step is about, from its options and variables, and its programs."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from ..errors import AgentError
from .program import Program, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parameters import Parameters
    from .deadline import Deadline

# What a database may be called here: it stands in statements, where the longest name of either
# system has 63 characters, and a restore puts a suffix behind it.
_NAME = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_$.@-]{0,39}")


class Url:
    """A URL of a database, as `DATABASE_URL` has it: `scheme://user:password@host:port/name?…`.

    Attributes:
        user: None where it has none, as with all that follow.
        password: The password.
        host: A name, an address, or the folder of a socket.
        port: The port, as text.
        name: The database.
        options: What follows the question mark.
    """

    def __init__(self, text: str, variable: str, schemes: tuple[str, ...]) -> None:
        """Take it apart.

        Args:
            text: The URL, which may hold a password.
            variable: The variable that holds it, for messages.
            schemes: What it may begin with; `+driver` may follow.

        Raises:
            AgentError: `invalid`, without a word of the URL itself.
        """
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise AgentError("invalid", f"{variable} does not hold a URL") from None
        if parts.scheme.partition("+")[0] not in schemes:
            raise AgentError(
                "invalid", f"{variable} does not hold a URL that begins with {schemes[0]}://"
            )
        self.user = _decoded(parts.username)
        self.password = _decoded(parts.password)
        self.host = _decoded(parts.hostname)
        self.port = None if port is None else str(port)
        self.name = _decoded(parts.path[1:])
        self.options = dict(parse_qsl(parts.query))


def url_of(options: Parameters, variables: dict[str, str], schemes: tuple[str, ...]) -> Url | None:
    """Return the URL that the step's `url` names a variable for; None where it names none.

    Raises:
        AgentError: `invalid`: the variable is not set, or holds something else.
    """
    variable = options.text_or_none("url")
    if variable is None:
        return None
    text = variables.get(variable)
    if not text:
        raise AgentError(
            "invalid",
            f"the variable {variable!r}, which is to hold the database's URL, is not set",
            "Name it in the step's `secrets`, or set it in `env`.",
        )
    return Url(text, variable, schemes)


def database_name(options: Parameters, url: Url | None, variables: dict[str, str], key: str) -> str:
    """Return the database's name: the step's `database`, else the URL's, else a variable's.

    Raises:
        AgentError: `invalid`: nobody says, or it is a name that this cannot work with.
    """
    name = options.text_or_none("database") or (url and url.name) or variables.get(key)
    if not name:
        raise AgentError(
            "invalid",
            "nothing says which database to back up",
            f"Say it in `database`, in the URL, or in the variable {key}.",
        )
    if _NAME.fullmatch(name) is None:
        raise AgentError(
            "invalid",
            f"a database that is called {name!r} cannot be backed up by this step",
            "Its name has to be of at most 40 letters, digits and `_$.@-`; else use a command.",
        )
    return name


class SqlDatabase:
    """What databases have in common that are backed up by programs of their own.

    Attributes:
        name: What it is called.
    """

    def __init__(self, name: str, environment: dict[str, str], user: str | None) -> None:
        """Take its name, the variables of its programs, and who they become."""
        self.name = name
        self._environment = environment
        self._user = user

    def names(self, stamp: str) -> tuple[str, str]:
        """Return what a restore is called while it is made, and what it replaces afterwards."""
        return f"{self.name}_restoring", f"{self.name}_before_{stamp}"

    def _run(self, argv: list[str], deadline: Deadline, given: bytes | None = None) -> str:
        return run(
            argv,
            environment=self._environment,
            deadline=deadline,
            user=self._user,
            given=given,
        )

    def _program(self, argv: list[str], deadline: Deadline, *, takes: bool = False) -> Program:
        return Program(
            argv,
            environment=self._environment,
            deadline=deadline,
            user=self._user,
            takes=takes,
        )


def _decoded(text: str | None) -> str | None:
    return unquote(text) if text else None
