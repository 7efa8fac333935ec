"""The stylesheets and scripts of the application."""

from __future__ import annotations

from collections.abc import Sequence

_PARTS = ("list", "detail", "form", "table")

_VARIABLES = """\
$ink: #1f2933;
$paper: #ffffff;
$accent: #c2410c;
$radius: 6px;
$breakpoints: (small: 480px, medium: 768px, large: 1100px);

@mixin from($name) {
  @media (min-width: map-get($breakpoints, $name)) { @content; }
}

@function step($n) { @return $n * 0.25rem; }
"""

_PARTIAL = """\
@use "../variables" as v;
$gap: 8px;

.{app}-{part} {{
  display: grid;
  gap: $gap;
  color: v.$ink;
  background: v.$paper;
  border-radius: v.$radius;

  &__entry {{
    padding: v.step(2) v.step(3);
    border: 1px solid rgba(v.$ink, 0.2);
    &:hover, &:focus-within {{ border-color: v.$accent; }}
    a {{ color: inherit; text-decoration: underline; }}
    .price {{ font-variant-numeric: tabular-nums; font-weight: 600; }}
  }}

  @for $i from 1 through 12 {{
    &__column-#{{$i}} {{ grid-column: span $i; }}
    @include v.from(medium) {{ &__column-m-#{{$i}} {{ grid-column: span $i; }} }}
    @include v.from(large) {{ &__column-l-#{{$i}} {{ grid-column: span $i; }} }}
  }}
}}
"""

_SCRIPT = """\
import {{ request, format }} from "../lib/{helper}.js";

/** Keeps the {part} of {app} in step with the server. */
export class {title} {{
  constructor(root, options = {{}}) {{
    this.root = root;
    this.options = {{ pageSize: 20, delay: 250, ...options }};
    this.entries = new Map();
    this.timer = null;
    this.root.addEventListener("input", (event) => this.onInput(event));
  }}

  onInput(event) {{
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.load(event.target.value), this.options.delay);
  }}

  async load(words) {{
    const found = await request(`/{app}/?title=${{encodeURIComponent(words)}}`);
    for (const entry of found) {{
      this.entries.set(entry.id, entry);
    }}
    this.render();
  }}

  render() {{
    const rows = [...this.entries.values()].slice(0, this.options.pageSize);
    this.root.querySelector("ul").innerHTML = rows
      .map((entry) => `<li>${{entry.title}} <b>${{format(entry.price)}}</b></li>`)
      .join("");
  }}
}}

document.querySelectorAll("[data-{app}-{part}]").forEach((root) => new {title}(root));
"""

_HELPER = """\
export async function request(url) {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  if (!response.ok) {
    throw new Error(`${url}: ${response.status}`);
  }
  const body = await response.json();
  return Array.isArray(body) ? body : body.results;
}

export function format(price) {
  return new Intl.NumberFormat("en", { style: "currency", currency: "EUR" }).format(price);
}
"""


def sources(apps: Sequence[str]) -> dict[str, str]:
    """Return all sources below `frontend/`, by their path."""
    files = {"frontend/scss/_variables.scss": _VARIABLES, "frontend/js/lib/api.js": _HELPER}
    for app in apps:
        uses = ""
        for part in _PARTS:
            files[f"frontend/scss/{app}/_{part}.scss"] = _PARTIAL.format(app=app, part=part)
            uses += f'@use "{app}/{part}";\n'
        files[f"frontend/scss/{app}.scss"] = uses
        for part in _PARTS[:3]:
            files[f"frontend/js/{app}/{part}.js"] = _SCRIPT.format(
                app=app, part=part, title=f"{app.title()}{part.title()}", helper="api"
            )
    return files
