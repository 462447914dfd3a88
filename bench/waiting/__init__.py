"""Parts of bench/blocking."""
