"""Programs that tests of secrets run: age, and sops or what speaks as it does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="needs age (Debian package age)")
# Debian has no sops. This stand-in takes its command line and answers as it does, of files that
# nobody has encrypted.
SOPS = Path(__file__).parent / "sops" / "sops"
