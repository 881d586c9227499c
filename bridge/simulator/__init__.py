"""A GHL and its completion services, for demo and tests. It imports nothing of the bridge.

Read `app` (the routes) first, then `exchange` (one request and its answer), `ghl`, `completions` and `control`. `world` holds
the truth, `simulation` what happens in it, `faults` what goes wrong on purpose.
"""
