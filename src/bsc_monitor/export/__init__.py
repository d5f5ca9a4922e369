"""Prometheus metrics, exact and cheap: what the service knows, as text that is rendered once per change."""
