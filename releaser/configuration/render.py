"""Render templates strictly: what is not there is an error that names the template and the line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from traceback import walk_tb
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.exceptions import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from castoff.releaser.configuration.context import SecretValues
from castoff.releaser.errors import TemplateFailed


class _Missing(StrictUndefined):
    """Says of what is missing what it is, and what to do about a secret."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if isinstance(self._undefined_obj, SecretValues):
            return f"the secret {self._undefined_name!r} is not among `secrets` of this file"
        return f"{self._undefined_name!r} is not defined"


class Renderer:
    """Renders the templates of one release."""

    def __init__(self, read: Callable[[str], str | None]) -> None:
        """Take what returns the text of a file of the release, or None."""
        self._read = read
        self._loaded: set[str] = set()
        # A template comes with the code and yet runs here, where all secrets are: it gets what it
        # is given and nothing else. Nothing is escaped: these files are no HTML.
        self._jinja = ImmutableSandboxedEnvironment(
            loader=FunctionLoader(self._load),
            undefined=_Missing,
            autoescape=False,
            keep_trailing_newline=True,
        )

    def render(self, name: str, variables: Mapping[str, Any]) -> str:
        """Return what a template makes of variables.

        Raises:
            TemplateFailed: It cannot be read, or uses what is not there.
            CastoffError: What the reading of templates raises.
        """
        try:
            return self._jinja.get_template(name).render(variables)
        except TemplateNotFound as error:
            raise TemplateFailed(
                f"{name}: the release has no template {error.name!r}",
                hint="Is it tracked by git, and among what the build takes in (`include`, "
                "`exclude`)?",
            ) from error
        except TemplateSyntaxError as error:
            raise TemplateFailed(f"{error.name or name}:{error.lineno}: {error.message}") from error
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise TemplateFailed(f"{self._place(error, name)}: {error}") from error

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        text = self._read(name)
        if text is None:
            return None
        self._loaded.add(name)
        return text, name, lambda: True

    def _place(self, error: Exception, name: str) -> str:
        """Return `template:line` of the innermost template that an error came from."""
        place = name
        for frame, line in walk_tb(error.__traceback__):
            # Jinja puts frames into the traceback that name the template as their file.
            if frame.f_code.co_filename in self._loaded:
                place = f"{frame.f_code.co_filename}:{line}"
        return place
