"""Ways to reach a host: as a subprocess on this machine, or over SSH."""
