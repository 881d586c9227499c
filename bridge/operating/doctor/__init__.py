"""The checks of `doctor`: the installation, the locations, and an end-to-end test."""
