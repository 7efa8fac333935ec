"""What scale.py measures, and on what."""
