"""What `release.py` and `first.py` run: an application, hosts that serve it, and every tool."""
