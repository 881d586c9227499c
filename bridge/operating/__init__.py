"""What an operator does, each thing once: command line, admin API and console are doors onto it."""
