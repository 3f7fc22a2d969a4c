"""Races and crashes against real server processes, judged by a history check."""
