"""The applications of bench/run. Those that every server can run are the same for all."""
