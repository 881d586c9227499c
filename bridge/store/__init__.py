"""Redis, where all state lives: one room per topic, each Lua script beside the module that calls it, shared code in `parts`."""
