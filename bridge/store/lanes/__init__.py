"""The heart: what waits in lanes, who holds one, and what is known of contacts and their messages."""
