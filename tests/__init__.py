"""Tests: they speak HTTP to a real app over a real database; one file per source file."""
