"""Migrations, read from their files: nothing of the project is imported, no database is asked."""
