"""The WSGI application that gunicorn and other servers import as ``wsgi:app``."""

from app import create_app
from app.serve import prepare

app = create_app()
prepare(app)
