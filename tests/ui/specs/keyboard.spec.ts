// The keyboard reaches everything, shows where it is, and gets away again.
import { expect, test } from "../app";

/** More presses than any page has controls. */
const PRESSES_MAX = 400;

test("A51 the focus is seen everywhere, follows the document and leaves every page", async ({ app }) => {
  await app.open("earning");
  for (const nav of await app.pages()) {
    await app.page.getByTestId(nav).click();
    await app.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    const invisible: string[] = [];
    const order: number[] = [];
    let left = false;
    for (let press = 0; press < PRESSES_MAX && !left; press += 1) {
      await app.page.keyboard.press("Tab");
      const at = await app.page.evaluate(() => {
        const element = document.activeElement;
        if (!(element instanceof HTMLElement) || element === document.body) return null;
        const style = getComputedStyle(element);
        const hasRing = style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2;
        const index = [...document.querySelectorAll("*")].indexOf(element);
        return { index, hasRing, html: element.outerHTML.slice(0, 120) };
      });
      if (at === null || order.includes(at.index)) {
        left = true;
        break;
      }
      order.push(at.index);
      if (!at.hasRing) invisible.push(at.html);
    }
    expect.soft(left, `${nav}: the focus leaves the page`).toBe(true);
    expect.soft(invisible, `${nav}: focus that cannot be seen`).toEqual([]);
    expect.soft(order, `${nav}: the order is that of the document`).toEqual(order.toSorted((a, b) => a - b));
  }
});

test("A52 nothing moves for those who asked for stillness", async ({ app }) => {
  await app.page.emulateMedia({ reducedMotion: "reduce" });
  for (const script of ["earning", "joining", "first_share"]) {
    await app.open(script);
    for (const nav of await app.pages()) {
      await app.page.getByTestId(nav).click();
      const moving = await app.page.evaluate(() =>
        document
          .getAnimations()
          .map((animation) => animation.effect?.getComputedTiming().duration ?? 0)
          .filter((duration) => Number(duration) > 0),
      );
      expect.soft(moving, `${script} ${nav}`).toEqual([]);
    }
  }
});
