"""Grafana boards as code: ``make grafana`` writes their JSON."""
