"""Echo bots, which make bench-servers runs on real servers: ours, and the same ones on the other libraries."""
