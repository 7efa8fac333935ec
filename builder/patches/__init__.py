"""Patches from earlier releases, made when a version is pushed; store/patch.py says what one is."""
