"""What `bytes.py` works with: a series of releases, and the ways in which a host gets them."""
