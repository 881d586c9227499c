"""Decisions as pure functions: facts and the time in, a value out. Nothing here does I/O."""
