"""JavaScript programs in V8 inside Python (`mini-racer`), for machines without Node."""

from __future__ import annotations

import threading
from typing import Any

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tools import extra

# V8 alone has no `atob`, with which programs unpack their WebAssembly.
_ATOB = """
var atob = text => {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  let bits = 0, held = 0, out = "";
  for (const character of text.replace(/=+$/, "")) {
    held = (held << 6) | digits.indexOf(character); bits += 6;
    if (bits >= 8) { bits -= 8; out += String.fromCharCode((held >> bits) & 255); }
  }
  return out;
};
"""
_SECONDS = 300


class V8:
    """One context; calls from several threads take turns. Unclosed, it may hang at exit."""

    def __init__(self, program: str) -> None:
        self._module = extra.load("py_mini_racer", "mini-racer")
        self._errors: type[Exception] = self._module.JSEvalException
        self._lock = threading.Lock()
        self._context = self._module.MiniRacer()
        self._context.eval(_ATOB + program)

    def call(self, function: str, *arguments: object) -> Any:
        """Call a global function with JSON arguments and return its JSON result.

        Raises:
            AssetError: It threw, or did not end in time.
        """
        with self._lock:
            try:
                return self._context.call(function, *arguments, timeout_sec=_SECONDS)
            except self._errors as error:
                first = str(error).splitlines()[0][:200]
                raise AssetError(f"{function} failed in V8: {first}") from error

    def close(self) -> None:
        """Free the context."""
        self._context.close()


def version() -> str:
    """Return the version of `mini-racer`."""
    return extra.version("mini-racer")
