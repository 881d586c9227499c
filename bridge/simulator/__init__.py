"""A GHL and its completion services for demo and tests. It imports nothing of the bridge."""
