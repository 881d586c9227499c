"""HTTP to the outside: one call with one deadline, what its answer says, and the patience of seconds."""
