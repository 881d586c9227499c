"""Measurements, and what they compare with."""
