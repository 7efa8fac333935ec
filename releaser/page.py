"""The page that says that a site is down for a while, where a project has none of its own."""

from __future__ import annotations

from html import escape

_FORM = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Back soon</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1.1rem/1.5 system-ui, sans-serif; margin: 20vh auto; max-width: 32rem }}
main {{ padding: 1rem }}
</style>
</head>
<body>
<main>
<h1>Back soon</h1>
<p>{message}</p>
</main>
</body>
</html>
"""


def page_saying(message: str) -> str:
    """Return a page with one paragraph of plain text."""
    return _FORM.format(message=escape(message))


PLAIN_PAGE = page_saying("This site is being worked on. Please try again in a few minutes.")
