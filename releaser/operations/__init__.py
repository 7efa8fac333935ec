"""What is asked of hosts between releases: looked at, read of, run on, cleaned up."""
