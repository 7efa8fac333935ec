"""Host tables that come from elsewhere than castoff.toml, held to the same rules."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from castoff.config import rules
from castoff.config.errors import ConfigError
from castoff.config.explain import explain_row
from castoff.config.freeze import frozen
from castoff.config.model import Environment, Host

_ROWS = TypeAdapter(tuple[Host, ...])


def parse_hosts(rows: object, *, origin: str) -> tuple[Host, ...]:
    """Return the hosts of a JSON list of tables as in `[[environments.NAME.hosts]]`.

    Args:
        rows: The list, as JSON gives it.
        origin: Where it comes from, for messages.

    Raises:
        ConfigError: It is not such a list; all that is wrong is told, with each table's number.
    """
    if not isinstance(rows, list):
        raise ConfigError(
            f"{origin}: expected a list of tables",
            hint='Such as: [{"name": "web1", "address": "192.0.2.1", "roles": ["web"]}]',
        )
    try:
        return _ROWS.validate_python(frozen(rows))
    except ValidationError as error:
        lines = [
            f"{origin}: host {int(one['loc'][0]) + 1}{_named(rows, int(one['loc'][0]))}: "
            f"{explain_row(one)}"
            for one in error.errors(include_url=False)
        ]
        raise ConfigError(
            "\n".join(lines), hint="docs/reference/configuration.md describes every key of a host."
        ) from error


def with_hosts(environment: Environment, found: tuple[Host, ...], *, origin: str) -> Environment:
    """Return an environment with further hosts behind its own.

    Raises:
        ConfigError: There are none at all, or they do not go together.
    """
    whole = environment.model_copy(update={"hosts": (*environment.hosts, *found)})
    if not whole.hosts:
        raise ConfigError(f"{origin}: no host was found", hint="See `hosts_from` in castoff.toml.")
    misfits = list(rules.environment(whole))
    if misfits:
        raise ConfigError("\n".join(f"{origin}: {misfit.message}" for misfit in misfits))
    return whole


def _named(rows: list[object], index: int) -> str:
    row = rows[index]
    name = row.get("name") if isinstance(row, dict) else None
    return f" ({name})" if isinstance(name, str) else ""
