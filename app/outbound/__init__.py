"""The only way out of the process: guarded requests to other servers."""
