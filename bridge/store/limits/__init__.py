"""Limits for requests: GHL's rate limits, and the circuits of completion services."""
