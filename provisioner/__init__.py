"""From a bare Debian host to one that a release can come to: described once, made so every time."""
