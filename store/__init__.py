"""The contract that builder and releaser share, and the places where it can be kept."""
