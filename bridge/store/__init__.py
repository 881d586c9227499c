"""Redis, where the truth lives: one module a kind of record, the Lua scripts beside them in `scripts`."""
