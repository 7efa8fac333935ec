// Takes from the packages what pages load as it is; stylesheets are compiled from the packages.
const fs = require("fs");
const from = {
  "vendor/bootstrap.js": "bootstrap/dist/js/bootstrap.bundle.js",
  "vendor/d3.js": "d3/dist/d3.js",
  "vendor/jquery.js": "jquery/dist/jquery.js",
  "vendor/lodash.js": "lodash/lodash.js",
  "vendor/awesome/css/all.css": "@fortawesome/fontawesome-free/css/all.css",
  "vendor/awesome/webfonts": "@fortawesome/fontawesome-free/webfonts",
};
for (const [target, source] of Object.entries(from)) {
  fs.cpSync("node_modules/" + source, "vendor/" + target, { recursive: true });
}
