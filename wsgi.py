"""The WSGI application that gunicorn and other servers import as ``wsgi:app``."""

from app.serve import start

app = start()
