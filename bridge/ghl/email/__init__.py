"""E-mails: converts HTML to text, and removes quoted history."""
