"""Locations: their settings, installs of the app, its tokens, and the schedule of sweeps."""
