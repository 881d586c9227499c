"""Access to GHL for a location: tokens of the file, grants of installs and their renewal."""
