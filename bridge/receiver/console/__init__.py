"""The operators' pages, one module per page, each a thin view of the operations. They work without JavaScript."""
