"""The JSON API under ``/api/v1``: every page's twin, described by OpenAPI 3.1."""
