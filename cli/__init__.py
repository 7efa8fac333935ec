"""The command line: parses, calls the library, renders. It has no rule of its own."""
