"""The only code that runs on hosts: standard library, Python 3.8 or newer, sent over the wire."""
