"""Collecting: finding plugins, asking sources on schedule, and the one HTTP client that they ask with."""
