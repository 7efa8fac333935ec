"""What relays.py measures on."""
