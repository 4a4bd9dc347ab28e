// The rules a compiler does not know: run by `npm run lint`, explained in CONTRIBUTING.md.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const SRC = join(ROOT, "src");
const COMPONENT_LINES_MAX = 250;
const SOURCE_LINES_MAX = 400;
const TOKENS = "styles/tokens.css";

const complaints = [];
const complain = (file, line, text) => complaints.push(`src/${file}:${line} ${text}`);

/** Every source file, by its path from `src`. */
function sources(folder = SRC) {
    return readdirSync(folder, { withFileTypes: true })
        .flatMap((entry) => {
            const path = join(folder, entry.name);
            if (entry.isDirectory()) return sources(path);
            return /\.(ts|svelte|css)$/.test(entry.name)
                ? [relative(SRC, path).replaceAll("\\", "/")]
                : [];
        })
        .sort();
}

const files = new Map(sources().map((file) => [file, readFileSync(join(SRC, file), "utf8")]));
const isTest = (file) => file.endsWith(".test.ts") || file === "test-setup.ts";
const isGenerated = (file) => file.startsWith("ipc/generated/");

/** The script of a file, blank lines standing for the rest, so that line numbers stay true. */
function scriptOf(file, text) {
    if (!file.endsWith(".svelte")) return text;
    let script = "";
    let at = 0;
    for (const match of text.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)) {
        const start = match.index + match[0].indexOf(">") + 1;
        script += text.slice(at, start).replace(/[^\n]/g, " ") + match[1];
        at = start + match[1].length;
    }
    return script;
}

function parsed(file, text) {
    return ts.createSourceFile(file, scriptOf(file, text), ts.ScriptTarget.Latest, true);
}

function lineOf(source, node) {
    return source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
}

// --- Looks: colours and lengths come from the tokens. ---
/** Outside style blocks only what stands in quotes can be a look. */
const QUOTED = /(["'`])(?:(?!\1).)*\1/g;
const RAW = [
    [/#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})\b/i, "a raw colour"],
    [/\b(rgb|rgba|hsl|hsla|oklch|lab|lch)\(/i, "a raw colour"],
    [/(?<![\w-])\d*\.?\d+px\b/, "a raw pixel"],
    [/(?<![\w-])\d*\.?\d+rem\b/, "a raw length"],
    [/(?<![\w.-])\d*\.?\d+m?s\b(?=[\s;,)])/, "a raw duration"],
];

function looks(file, text) {
    if (file === TOKENS || isTest(file) || isGenerated(file)) return;
    const isStyle = (index) => file.endsWith(".css") || inStyle(text, index);
    let offset = 0;
    text.split("\n").forEach((line, number) => {
        const where = isStyle(offset) ? line : (line.match(QUOTED) ?? []).join(" ");
        for (const [pattern, what] of RAW) {
            if (pattern.test(where)) complain(file, number + 1, `has ${what}: use a token`);
        }
        offset += line.length + 1;
    });
}

function inStyle(text, index) {
    const open = text.indexOf("<style");
    return open >= 0 && index > open;
}

// --- Imports: downwards, never sideways between pages, never in a circle. ---
const LAYERS = ["pages", "charts", "components", "stores", "ipc", "format", "text"];
/** What each layer may import beside itself. */
const MAY_IMPORT = {
    pages: ["charts", "components", "format", "text", "ipc"],
    charts: ["components", "format", "text", "ipc"],
    components: ["format", "text", "ipc"],
    stores: ["ipc", "text", "format"],
    ipc: [],
    format: ["ipc", "text"],
    text: [],
};

function resolveImport(file, specifier) {
    const base = join(dirname(file), specifier).replaceAll("\\", "/");
    return [base, `${base}.ts`, `${base}.svelte`, `${base}/index.ts`].find((path) =>
        files.has(path),
    );
}

const imports = new Map();

function readImports(file, text) {
    const source = parsed(file, text);
    const found = [];
    const visit = (node) => {
        const from =
            ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
                ? node.moduleSpecifier
                : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
                  ? node.arguments[0]
                  : undefined;
        if (from !== undefined && ts.isStringLiteral(from)) {
            checkImport(file, from.text, lineOf(source, node), found);
        }
        ts.forEachChild(node, visit);
    };
    visit(source);
    imports.set(file, found);
}

function checkImport(file, specifier, line, found) {
    if (specifier.startsWith("@tauri-apps/") && file !== "ipc/tauri.ts") {
        complain(file, line, "imports Tauri: only ipc/tauri.ts may");
    }
    if (!specifier.startsWith(".")) return;
    const target = resolveImport(file, specifier.replace(/\?.*$/, ""));
    if (target === undefined)
        return complain(file, line, `imports ${specifier}, which is not there`);
    found.push(target);
    const [layer, page] = file.split("/");
    const [targetLayer, targetPage] = target.split("/");
    if (isTest(file) || !LAYERS.includes(layer) || !target.includes("/")) return;
    if (layer === "pages" && targetLayer === "pages" && page !== targetPage) {
        complain(file, line, `imports from another page (${targetPage})`);
    }
    const isData = target.startsWith("ipc/generated/");
    if (layer !== targetLayer && !isData && !MAY_IMPORT[layer].includes(targetLayer)) {
        complain(file, line, `imports upwards: ${layer} may not know ${targetLayer}`);
    }
    if (
        targetLayer === "ipc" &&
        !isData &&
        ["pages", "charts", "components", "format"].includes(layer)
    ) {
        complain(file, line, "imports more of ipc than its types");
    }
}

function circles() {
    const done = new Set();
    const visit = (file, path) => {
        const at = path.indexOf(file);
        if (at >= 0) {
            complaints.push(`imports go in a circle: ${[...path.slice(at), file].join(" > ")}`);
            return;
        }
        if (done.has(file)) return;
        for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
        done.add(file);
    };
    for (const [file] of files) if (!isGenerated(file)) visit(file, []);
}

// --- Types: nothing escapes the compiler. ---
function escapes(file, text) {
    if (isGenerated(file) || file.endsWith(".css")) return;
    const source = parsed(file, text);
    const visit = (node) => {
        if (node.kind === ts.SyntaxKind.AnyKeyword)
            complain(file, lineOf(source, node), "says any");
        if (ts.isNonNullExpression(node)) complain(file, lineOf(source, node), "asserts non-null");
        ts.forEachChild(node, visit);
    };
    visit(source);
    if (/@ts-(ignore|nocheck)|eslint-disable/.test(text)) complain(file, 1, "switches a check off");
}

// --- Parts: small, and without a life of their own. ---
function sizes(file, text) {
    if (isGenerated(file) || file === "text/en.ts") return;
    const lines = text.split("\n").length - 1;
    const most = file.endsWith(".svelte") ? COMPONENT_LINES_MAX : SOURCE_LINES_MAX;
    if (lines > most) complain(file, 1, `has ${lines} lines, at most ${most}: split it`);
}

function lives(file, text) {
    if (!file.endsWith(".svelte")) return;
    const found = scriptOf(file, text).match(/\b(fetch|setInterval|setTimeout|invoke)\(/);
    if (found !== null) complain(file, 1, `calls ${found[1]}: that belongs in a store`);
}

// --- Words: every one of the catalogue is used. ---
function unusedWords() {
    const all = [...files].filter(([file]) => file !== "text/en.ts" && !isTest(file));
    const code = all.map(([, text]) => text).join("\n");
    const prefixes = [...code.matchAll(/`([a-z_]+\.[a-z_.]*)\$\{/gi)].map((match) => match[1]);
    const keys = [...(files.get("text/en.ts") ?? "").matchAll(/^ {2}"([^"]+)":/gm)];
    for (const [, key] of keys) {
        const isUsed =
            code.includes(`"${key}"`) || prefixes.some((prefix) => key.startsWith(prefix));
        if (!isUsed) complaints.push(`src/text/en.ts "${key}" is used nowhere`);
    }
}

for (const [file, text] of files) {
    looks(file, text);
    sizes(file, text);
    lives(file, text);
    escapes(file, text);
    if (!file.endsWith(".css")) readImports(file, text);
}
circles();
unusedWords();

if (complaints.length > 0) {
    console.error(complaints.join("\n"));
    console.error(`${complaints.length} complaints`);
    process.exit(1);
}
console.log(`${files.size} files, no complaint`);
