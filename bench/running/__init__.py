"""bench/run: this server beside what a user would take instead."""
