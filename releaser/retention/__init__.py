"""Which versions and releases somebody may still want, read from what the store remembers."""
