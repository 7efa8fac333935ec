"""The relay: carries the controller's messages to hosts that are near this one.

It is sent to the relay alone, runs without the rest of the agent, and imports nothing of it.
"""
