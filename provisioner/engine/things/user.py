"""A system user with its home and the keys that may log in as it."""

from __future__ import annotations

from collections.abc import Iterator

from pyinfra.operations import server

from castoff.provisioner.engine.options import Options


def commands(options: Options) -> Iterator[object]:
    """Yield what makes the user as it should be."""
    keys = options.texts("keys")
    yield from server.user._inner(  # noqa: SLF001 (how operations of pyinfra use each other)
        user=options.text("name"),
        home=options.text("home"),
        shell=options.text("shell"),
        groups=options.texts("groups"),
        append=True,
        system=True,
        ensure_home=options.flag("make_home"),
        public_keys=keys or None,
    )
