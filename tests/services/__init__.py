"""Real programs that tests talk to: each is started on loopback and stopped by its pid."""
