"""What makes requests wait: GHL's rate limits, and the circuits of completion services."""
