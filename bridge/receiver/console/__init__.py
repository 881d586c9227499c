"""The operator's pages: one module a page, each a thin view of the operations; they work without JavaScript."""
