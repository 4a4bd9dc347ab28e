import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  // Tests mount components: without this Svelte would hand out its server half.
  resolve: mode === "test" ? { conditions: ["browser"] } : {},
  server: { port: 1420, strictPort: true },
  build: {
    target: ["es2022", "safari16.4"],
    // The window loads from disk; one small file per part is what matters, not the count.
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "happy-dom",
    setupFiles: ["src/test-setup.ts"],
    include: ["src/**/*.test.ts"],
    // The contrast test reads the tokens.
    css: true,
  },
}));
