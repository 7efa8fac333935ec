"""What runs on a host: standard library alone, Python 3.8 and newer, sent over the wire.

docs/reference/agent-protocol.md says what it understands. Modules that are slow to load (`ssl`,
`subprocess`, `urllib`) are imported where they are used, so that a bare start takes milliseconds.
"""
