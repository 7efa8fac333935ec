"""Make the database, unless it is there."""

import os
import sqlite3

with sqlite3.connect(os.environ["DATABASE"]) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS ships (name TEXT PRIMARY KEY, launched INTEGER)")
    connection.execute("INSERT OR IGNORE INTO ships VALUES ('Cutty Sark', 1869)")
