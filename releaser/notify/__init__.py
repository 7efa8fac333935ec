"""Notifications: tell of a run by webhook, chat, e-mail or command, and never stand in its way."""
