"""Configuration files: rendered here for each host, sent there, switched with the flip."""
