"""The admin API: the operations over HTTP, and a document that describes them."""
