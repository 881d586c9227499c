"""E-mails: HTML as text, and the words that their sender wrote."""
