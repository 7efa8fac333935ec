"""Folders of a release's tree that distributions are installed in."""

from __future__ import annotations

# What the lock names, and nothing else: so builds find it again, and releases share it.
LIB = "lib"
# What was built from the commit: the project's own wheel, and others of its repository.
PROJECT = "project"
# As they follow one another on sys.path.
INSTALLED = (PROJECT, LIB)
