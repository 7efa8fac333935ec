"""Scarce wires: what is measured on them, and how it is told."""
