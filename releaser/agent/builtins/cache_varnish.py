"""Ban objects of a Varnish by its own program, which knows where the instance's secret is."""

from __future__ import annotations

import shlex

from ..errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parameters import Parameters
    from .errand import Errand


def clear_varnish(errand: Errand, options: Parameters) -> str:
    """Ban what an expression takes in: Varnish fetches it anew when it is asked for next.

    Raises:
        AgentError: `step-failed`: also if Varnish does not understand the expression.
            `step-timeout`, `missing`.
    """
    argv = ["varnishadm"]
    for option, key in (("-n", "instance"), ("-T", "address"), ("-S", "secret_file")):
        value = options.text_or_none(key)
        if value is not None:
            argv += [option, value]
    ban = options.text("ban")
    try:
        words = _words(ban)
    except ValueError as error:
        raise AgentError("invalid", f"not an expression of Varnish: {ban!r} ({error})") from None
    errand.ask([*argv, "ban", *words])
    return f"Varnish: banned {ban}"


def _words(expression: str) -> list[str]:
    """Return an expression's words; those in quotation marks are one, backslashes are its own."""
    lexer = shlex.shlex(expression, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.escape, lexer.commenters = True, "", ""
    return list(lexer)
