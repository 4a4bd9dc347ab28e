import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

// The distribution's browser: nothing is downloaded.
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env["CHROMIUM_EXE"] ?? BROWSERS.find((path) => existsSync(path));

export default defineConfig({
  testDir: "specs",
  outputDir: "../artifacts/ui/results",
  reporter: "list",
  workers: 2,
  fullyParallel: true,
  // Flaky means broken.
  retries: 0,
  timeout: 120_000,
  use: {
    locale: "en-US",
    timezoneId: "UTC",
    // A sandbox of its own needs rights that root in a container does not have.
    launchOptions: { args: ["--no-sandbox"], ...(executablePath && { executablePath }) },
    screenshot: "only-on-failure",
  },
});
