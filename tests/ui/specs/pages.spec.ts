// Every page in both themes and at both sizes: pictures to look at, no barrier, nothing cut off.
import { expect, test } from "../app";

const THEMES = ["dark", "light"] as const;
const SIZES = [
  { width: 1200, height: 800 },
  { width: 840, height: 600 },
];
/** States of Home, and of the whole window, that look different. */
const STATES = ["setup", "ready", "first_share", "paused", "node_syncing", "degraded", "blocked"];

for (const colorScheme of THEMES) {
  for (const viewport of SIZES) {
    const place = `${colorScheme}-${viewport.width}`;

    test.describe(place, () => {
      test.use({ colorScheme, viewport });

      test("A49 every page is without barriers and nothing is cut off", async ({ app }) => {
        for (const script of ["earning", "live"]) {
          await app.open(script);
          for (const nav of await app.pages()) {
            await app.page.getByTestId(nav).click();
            await app.eachTab(async (tab) => {
              const name = [script, nav, tab].filter(Boolean).join("-");
              await app.shoot(`${place}-${name}`);
              expect.soft(await app.barriers(), name).toEqual([]);
              expect.soft(await app.clipped(), name).toEqual([]);
            });
          }
        }
      });

      for (const script of STATES) {
        test(`A49 state ${script} is without barriers`, async ({ app }) => {
          await app.open(script);
          await app.shoot(`${place}-state-${script}`);
          expect(await app.barriers()).toEqual([]);
          expect(await app.clipped()).toEqual([]);
        });
      }
    });
  }
}
