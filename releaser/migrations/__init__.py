"""Migrations in a run: once for each version, and no way back that older code cannot go."""
