"""Stand-ins for GitHub's and GitLab's REST APIs over the projects of a company."""

from bsc_monitor.sandbox.forge.github import github_app
from bsc_monitor.sandbox.forge.gitlab import gitlab_app

__all__ = ["github_app", "gitlab_app"]
