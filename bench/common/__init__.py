"""What the benchmarks share: peers from Debian, what the machine is, servers as child processes and what /proc says of them."""
