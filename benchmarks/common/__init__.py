"""What the benchmarks share: hosts, figures, tables, plots, and the file of results."""
