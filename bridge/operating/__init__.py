"""Operations: each thing that an operator does, written once and used by the command line, the admin API and the console."""
