"""The first castoff.toml of a project: look at what stands there, write what fits."""

from castoff.config.scaffold.write import Scaffolded, scaffold

__all__ = ["Scaffolded", "scaffold"]
