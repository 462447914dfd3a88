"""Applications of bench/blocking: ordinary blocking code, the same for every server."""
