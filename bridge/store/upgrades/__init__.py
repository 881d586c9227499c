"""What brings the state of an older schema version to this one. Each step goes on where it was interrupted."""
