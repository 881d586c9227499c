"""The steps of a turn, with their I/O: the case and its guards, asking a provider, posting. `flow` calls them in order."""
