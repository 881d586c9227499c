"""Figures: counts, charts, gauges and the newest events."""
