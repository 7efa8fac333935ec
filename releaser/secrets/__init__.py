"""Secrets: found on the machine that releases, given to what names them, kept out of all else."""
