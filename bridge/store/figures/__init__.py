"""What is only summed up or shown: counts, charts, gauges and the newest events."""
