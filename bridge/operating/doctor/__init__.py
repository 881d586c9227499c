"""What `doctor` examines: the installation, the locations, and one message from end to end."""
