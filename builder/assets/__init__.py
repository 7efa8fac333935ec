"""The asset pipeline: sources in, hashed and compressed files with a manifest out."""
