/** Values a text can name. */
export type Values = Readonly<Record<string, string | number>>;

/**
 * Fills a catalogue text: `{name}` is a value, `{count, plural, one {# share} other {# shares}}`
 * chooses by the plural rules of `locale` and prints the number where `#` stands.
 *
 * A small part of ICU's message format, enough for the catalogue; a test fills every text.
 */
export function fill(text: string, values: Values, locale: string, numbers?: string): string {
  let out = "";
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("{", at);
    if (open < 0) return out + text.slice(at);
    const close = matchingBrace(text, open);
    out += text.slice(at, open) + argument(text.slice(open + 1, close), values, locale, numbers);
    at = close + 1;
  }
  return out;
}

function argument(inner: string, values: Values, locale: string, numbers?: string): string {
  const comma = inner.indexOf(",");
  const name = (comma < 0 ? inner : inner.slice(0, comma)).trim();
  const value = values[name];
  if (value === undefined) throw new Error(`text needs a value for {${name}}`);
  if (comma < 0) return typeof value === "number" ? grouped(value, numbers) : value;
  const options = pluralOptions(inner.slice(comma + 1));
  const count = Number(value);
  const chosen =
    options.get(`=${count}`) ??
    options.get(new Intl.PluralRules(locale).select(count)) ??
    options.get("other");
  if (chosen === undefined) throw new Error(`plural of {${name}} has no "other"`);
  return fill(chosen.replaceAll("#", grouped(count, numbers)), values, locale, numbers);
}

function pluralOptions(rest: string): Map<string, string> {
  const options = new Map<string, string>();
  const body = rest.slice(rest.indexOf(",") + 1);
  let at = 0;
  for (;;) {
    const open = body.indexOf("{", at);
    if (open < 0) return options;
    const close = matchingBrace(body, open);
    options.set(body.slice(at, open).trim(), body.slice(open + 1, close));
    at = close + 1;
  }
}

function matchingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === "{") depth += 1;
    if (text[at] === "}") depth -= 1;
    if (depth === 0) return at;
  }
  throw new Error(`text has an open brace: ${text}`);
}

function grouped(value: number, numbers?: string): string {
  return new Intl.NumberFormat(numbers).format(value);
}
