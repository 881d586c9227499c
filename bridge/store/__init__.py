"""The state in Redis: one package per topic, each Lua script beside the module that calls it, shared code in `parts`."""
