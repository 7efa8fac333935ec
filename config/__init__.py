"""castoff.toml: its types and its strict reader."""
