"""Hosts that an environment does not list itself, but somebody else knows."""
