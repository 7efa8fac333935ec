"""Datasette as an ASGI application, over a database that outlives releases."""

import os

from datasette.app import Datasette

app = Datasette([os.environ["DATABASE"]]).app()
