"""Upgrades of the state from an older schema version. An interrupted step is continued by the next process that starts."""
