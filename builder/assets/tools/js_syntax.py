"""Whether a text is JavaScript, for minifiers that accept anything."""

from __future__ import annotations

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.text import decode
from castoff.builder.assets.tool import Input
from castoff.builder.assets.tools.lexer import Lexer
from castoff.builder.assets.tools.minify_go import MinifyGo


class JsSyntax:
    """`minify-go` reads the text, less the import attributes that it does not know.

    What it still refuses in a script may be newer than it: there V8 has the last word. V8 inside
    Python reads no modules, so in a module its refusal stands.
    """

    def __init__(self, go: MinifyGo, lexer: Lexer) -> None:
        self._go = go
        self._lexer = lexer

    def check(self, source: Input) -> None:
        """Refuse what is not JavaScript.

        Raises:
            AssetError: With the place.
        """
        text = decode(source.data, source.name)
        static = [i for i in self._lexer.imports(text, source.name) if i.kind == "static"]
        plain = text
        for found in static:
            # From the closing quote to the end there is nothing but `with {…}`.
            gap = plain[found.end + 1 : found.statement_end]
            blank = "".join("\n" if character == "\n" else " " for character in gap)
            plain = plain[: found.end + 1] + blank + plain[found.statement_end :]
        try:
            self._go.run(Input(source.name, plain.encode()))
        except AssetError:
            if static or not self._lexer.compiles(text):
                raise
