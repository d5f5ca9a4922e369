"""Stakeholder reports: one frozen data object for a scorecard and period, and what it is rendered to."""
