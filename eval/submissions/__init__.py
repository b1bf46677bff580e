"""Submissions: results and policies in one file, which anyone can score again and check."""
