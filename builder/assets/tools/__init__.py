"""One adapter for each compiler and minifier, all behind `castoff.builder.assets.tool`."""
