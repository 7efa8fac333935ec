"""Files for hosts from Jinja2 templates: Castoff's own, or a project's in their place."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, TemplateError

from castoff.config.errors import ConfigError


def rendered(name: str, values: Mapping[str, object], *, own: Path | None = None) -> str:
    """Return a file's text.

    Args:
        name: Which of Castoff's templates.
        values: What templates may name; anything else is an error.
        own: A template of the project's in place of Castoff's.

    Raises:
        ConfigError: The project's template cannot be read, or names what there is not.
    """
    environment = Environment(  # noqa: S701 (configuration files, no HTML)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    if own is None:
        text = (
            files("castoff.provisioner")
            .joinpath("templates")
            .joinpath(name)
            .read_text(encoding="utf-8")
        )
        return environment.from_string(text).render(values)
    try:
        return environment.from_string(own.read_text(encoding="utf-8")).render(values)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{own}: cannot be read: {error}") from error
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f"{own}:{line}" if line else str(own)
        raise ConfigError(
            f"{where}: {error.message}",
            hint=f"Templates may name: {', '.join(sorted(values))}.",
        ) from error
