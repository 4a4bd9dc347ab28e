// First import of main.ts. WebKitGTK under LANG=C reports the language "C", which Intl refuses;
// uPlot asks Intl for it while it is being imported, and nothing would ever be drawn.
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(Navigator.prototype, "language", {
    get: () => "en-US",
    configurable: true,
  });
  Object.defineProperty(Navigator.prototype, "languages", {
    get: () => ["en-US"],
    configurable: true,
  });
}

export {};
