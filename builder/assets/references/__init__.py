"""Where CSS, JavaScript, HTML, SVG and web app manifests name other files."""
