// The page talks to nobody but the application.
import { expect, test } from "../app";
import { windowPolicy } from "../server";

test("A55 the policy lets the page reach nobody", async ({ app }) => {
  expect(windowPolicy()).toContain("default-src 'self'");
  await app.open("earning");
  const reached = await app.page.evaluate(async () => {
    const tries = [
      fetch("https://example.com/").then(() => "fetch", () => null),
      new Promise((done) => {
        const image = new Image();
        image.onload = () => done("image");
        image.onerror = () => done(null);
        image.src = "https://example.com/pixel.png";
      }),
      new Promise((done) => {
        try {
          const socket = new WebSocket("wss://example.com/");
          socket.onopen = () => done("socket");
          socket.onerror = () => done(null);
        } catch {
          done(null);
        }
      }),
    ];
    return (await Promise.all(tries)).filter((one) => one !== null);
  });
  expect(reached).toEqual([]);
  // Those refusals are what was asked for here.
  app.complaints.length = 0;
  app.foreign.length = 0;
});
