// Runs one tool for Castoff: requests and answers are lines of JSON.
"use strict";
const path = require("node:path");
const readline = require("node:readline");

const [tool, folder] = process.argv.slice(1);
const load = require("node:module").createRequire(path.join(folder, "package.json"));
const licences = /^!|@preserve|@license|@cc_on/i;

const place = (message, line, column, file) => ({error: {message, line, column, file}});

async function esbuild(loader, request) {
  const settings = {loader, minify: true, charset: "utf8", legalComments: "inline", logLevel: "silent"};
  try {
    const {code, warnings} = await load("esbuild").transform(request.code, settings);
    return {code: code.trimEnd(), warnings: warnings.map(warning => warning.text)};
  } catch (error) {
    if (!error.errors) return {stopped: error.message};
    const {text, location} = error.errors[0];
    return place(text, location?.line, location && location.column + 1);
  }
}

const tools = {
  "esbuild-js": request => esbuild("js", request),
  "esbuild-css": request => esbuild("css", request),

  async swc({code}) {
    const settings = {module: "unknown", compress: true, mangle: true, format: {comments: "some"}};
    try {
      return {code: (await load("@swc/core").minify(code, settings)).code};
    } catch (error) {
      // A picture of the place: the message, [line:column] of the excerpt, the line, and a caret.
      const drawn = String(error.message).replace(/\u001b\[[0-9;]*m/g, "").split("\n");
      const caret = drawn.findIndex(line => /^\s*[:·]\s+[\^─]/.test(line));
      const excerpt = /^(\s*(\d+) [|│] )/.exec(drawn[caret - 1] ?? "");
      const said = drawn.map(line => line.trim()).find(Boolean).replace(/^[x×]\s*/, "");
      if (!excerpt) return place(said);
      return place(said, +excerpt[2], drawn[caret].search(/[\^─]/) - excerpt[1].length + 1);
    }
  },

  async terser({code, name, module}) {
    try {
      const settings = {module, compress: true, mangle: true, format: {comments: licences}};
      return {code: (await load("terser").minify({[name]: code}, settings)).code};
    } catch (error) {
      return place(error.message, error.line, error.col + 1);
    }
  },

  async "uglify-js"({code, name, module}) {
    const settings = {module, compress: true, mangle: true, output: {comments: licences}};
    const {code: small, error} = load("uglify-js").minify({[name]: code}, settings);
    return error ? place(error.message, error.line, error.col + 1) : {code: small};
  },

  async sass({path: file, paths, map}) {
    const warnings = [];
    const logger = {
      warn: (message, {deprecation}) => { if (!deprecation) warnings.push(message); },
      debug: () => {},
    };
    try {
      const settings = {loadPaths: paths, logger, charset: false, verbose: true, sourceMap: !!map};
      const {css, sourceMap} = load("sass").compile(file, settings);
      return {code: css, warnings, ...(map && {map: JSON.stringify(sourceMap)})};
    } catch (error) {
      const start = error.span?.start;
      return place(
        error.sassMessage ?? error.message, start && start.line + 1, start && start.column + 1,
        error.span?.url?.href);
    }
  },

  async less({code, path: filename, paths, math, map: wanted}) {
    try {
      const settings = {filename, paths, math, javascriptEnabled: false};
      if (wanted) settings.sourceMap = {};
      const {css, map} = await load("less").render(code, settings);
      return wanted ? {code: css, map} : {code: css};
    } catch (error) {
      return place(error.message, error.line, error.column + 1, error.filename);
    }
  },

  async svgo({code, config}) {
    try {
      return {code: load("svgo").optimize(code, config).data};
    } catch (error) {
      return place(error.reason ?? error.message, error.line, error.column);
    }
  },
};

(async () => {
  for await (const line of readline.createInterface({input: process.stdin})) {
    const answer = await tools[tool](JSON.parse(line));
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
  if (tool.startsWith("esbuild")) await load("esbuild").stop();
})();
