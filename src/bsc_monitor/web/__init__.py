"""The built-in board, its JSON API, inbound webhooks and live updates.

``create_app(Board(…))`` makes the application, ``await serve(app, host, port)`` listens.
"""

from bsc_monitor.web.app import create_app
from bsc_monitor.web.auth.access import Auth
from bsc_monitor.web.auth.file import Access, AuthFileError, load_access
from bsc_monitor.web.board import Board
from bsc_monitor.web.operations import Operations, Rejected, Unknown
from bsc_monitor.web.serve import Served, ServeError, serve

__all__ = [
    "Access",
    "Auth",
    "AuthFileError",
    "Board",
    "Operations",
    "Rejected",
    "ServeError",
    "Served",
    "Unknown",
    "create_app",
    "load_access",
    "serve",
]
