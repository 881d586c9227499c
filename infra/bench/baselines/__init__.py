"""The baselines of the measurements: bridges and receivers with fewer duties."""
