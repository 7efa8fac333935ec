"""The code of built-in steps: taken from where an earlier run has left it, or from the controller.

It lies beside the agent's own and is trusted by the same rules: a text by its digest, what Python
made of it where nobody but this user and root could have put it.
"""

from __future__ import annotations

import sys

from .loader import compiled, kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .layout import Layout
    from .parameters import Parameters

_PACKAGE = __name__.rpartition(".")[0]
_OURS = "builtins."


class StepCode:
    """The modules of built-in steps in one run."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._digest = ""
        self._came = b""
        self._codes: dict[str, bytes] = {}

    def load(self, parameters: Parameters) -> dict[str, Any]:
        """Take the modules in, and say whether they are here."""
        sent = parameters.text_or_none("modules")
        folder = self._layout.built_ins
        if sent is None:
            self._digest = parameters.text("digest")
            text = kept(folder, self._digest, parameters.whole("size"))
            if not text:
                return {"here": False}
        else:
            from binascii import a2b_base64
            from hashlib import sha256

            text = self._came = a2b_base64(sent)
            self._digest = sha256(text).hexdigest()
        codes = compiled(folder, self._digest)
        self._codes = {name: codes[name] for name in codes if name.startswith(_OURS)}
        _importer().add(text, self._codes)
        return {"here": True}

    def keep(self) -> None:
        """Keep what came, and what Python made of those modules that were used.

        One host needs few of them: to compile all would take longer than most runs.
        """
        if self._came:
            from .kept_code import keep_text

            keep_text(self._layout, self._layout.built_ins, self._digest, self._came)
        made = {name: code for name, code in _importer().made.items() if name.startswith(_OURS)}
        if made:
            import marshal

            from .kept_code import keep_code

            codes = {**self._codes, **{name: marshal.dumps(code) for name, code in made.items()}}
            keep_code(self._layout, self._layout.built_ins, self._digest, codes)


def _importer() -> Any:
    return sys.modules[_PACKAGE].__loader__
